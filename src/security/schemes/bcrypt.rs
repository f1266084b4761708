//! bcrypt in crypt strings: `$2b$12$` with 22 characters of salt and 31 of hash. `2a`, `2b` and `2y` differ only in
//! bugs of early implementations; `2x` marks hashes made with such a bug, and is rejected. Some programs hash a digest
//! of the password, so that more than 72 bytes count.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::alphabet::BCRYPT;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};

use super::{UnusableHash, constant_time_eq, parse_cost};

/// The highest cost that is verified: 2^14 rounds.
const MAX_COST: u32 = 14;

/// The lowest cost of bcrypt.
const MIN_COST: u32 = 4;

const SALT_LENGTH: usize = 16;
const SALT_CHARACTERS: usize = 22;

/// The last of the cipher's 24 bytes is not stored.
const HASH_LENGTH: usize = 23;

/// Bytes of a password that count.
const MAX_PASSWORD_BYTES: usize = 72;

/// Some implementations left random bits behind the last byte.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &BCRYPT,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::RequireNone),
);

/// A parsed hash and its parameters.
#[derive(Debug)]
pub struct Bcrypt {
    cost: u32,
    salt: [u8; SALT_LENGTH],
    expected: [u8; HASH_LENGTH],
    pre_hash: PreHash,
}

/// What is done to the password before bcrypt.
#[derive(Debug, Clone, PartialEq, Eq)]
enum PreHash {
    /// Nothing.
    Plain,
    /// SHA-256 in hexadecimal digits (Django's `BCryptSHA256PasswordHasher`).
    Sha256Hex,
    /// HMAC-SHA-384 in base64 (WordPress 6.8, `wp_hash_password`).
    WordPress,
    /// HMAC-SHA-256 in base64, keyed with the characters of the salt (passlib's `bcrypt_sha256`, version 2).
    Passlib(String),
}

/// Prefixes of the bcrypt versions.
const VERSION_PREFIXES: [&str; 3] = ["$2a$", "$2b$", "$2y$"];

/// Parses any of the formats, if the text is of one:
/// - `$2b$12$<salt><hash>`;
/// - `bcrypt_sha256$$2b$12$<salt><hash>` of Django;
/// - `$wp$2y$10$<salt><hash>` of WordPress;
/// - `$bcrypt-sha256$v=2,t=2b,r=12$<salt>$<hash>` of passlib.
pub(super) fn parse(text: &str) -> Option<Result<Bcrypt, UnusableHash>> {
    let crypt = |text: &str| VERSION_PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix)).map(parse_crypt);
    let with_pre_hash = |text: &str, pre_hash: PreHash| {
        let parsed = crypt(text).unwrap_or(Err(UnusableHash::Malformed));
        Some(parsed.map(|hash| Bcrypt { pre_hash, ..hash }))
    };
    if let Some(rest) = text.strip_prefix("bcrypt_sha256$") {
        with_pre_hash(rest, PreHash::Sha256Hex)
    } else if text.starts_with("$wp$") {
        with_pre_hash(text.get("$wp".len()..).unwrap_or_default(), PreHash::WordPress)
    } else if let Some(rest) = text.strip_prefix("$bcrypt-sha256$") {
        Some(parse_passlib(rest))
    } else {
        crypt(text)
    }
}

fn parse_passlib(text: &str) -> Result<Bcrypt, UnusableHash> {
    let parts: Vec<&str> = text.split('$').collect();
    let [costs, salt, hash] = parts[..] else { return Err(UnusableHash::Malformed) };
    let rounds = costs.strip_prefix("v=2,t=2b,r=").ok_or(UnusableHash::Malformed)?;
    if salt.len() != SALT_CHARACTERS {
        return Err(UnusableHash::Malformed);
    }
    let parsed = parse_crypt(&format!("{rounds:0>2}${salt}{hash}"))?;
    Ok(Bcrypt { pre_hash: PreHash::Passlib(salt.to_owned()), ..parsed })
}

/// Parses what follows the version prefix.
fn parse_crypt(text: &str) -> Result<Bcrypt, UnusableHash> {
    let (digits, rest) = text.split_once('$').ok_or(UnusableHash::Malformed)?;
    let (salt, hash) = rest.split_at_checked(SALT_CHARACTERS).ok_or(UnusableHash::Malformed)?;
    let cost = parse_cost(digits, MAX_COST)?;
    if cost < MIN_COST || digits.len() != 2 {
        return Err(UnusableHash::Malformed);
    }
    Ok(Bcrypt { cost, salt: decode(salt)?, expected: decode(hash)?, pre_hash: PreHash::Plain })
}

fn decode<const N: usize>(text: &str) -> Result<[u8; N], UnusableHash> {
    let bytes = BASE64.decode(text).map_err(|_| UnusableHash::Malformed)?;
    bytes.try_into().map_err(|_| UnusableHash::Malformed)
}

impl Bcrypt {
    pub(super) fn matches(&self, password: &str) -> bool {
        // bcrypt ends the password with a NUL, so none can be within it.
        if password.contains('\0') {
            return false;
        }
        let input = self.pre_hash.apply(password);
        let bytes: Vec<u8> = input.bytes().chain([0]).take(MAX_PASSWORD_BYTES).collect();
        let output = bcrypt::bcrypt(self.cost, self.salt, &bytes);
        output.first_chunk::<HASH_LENGTH>().is_some_and(|output| constant_time_eq(output, &self.expected))
    }
}

impl PreHash {
    fn apply(&self, password: &str) -> String {
        let mac = |algorithm, key: &str| {
            STANDARD.encode(hmac::sign(&hmac::Key::new(algorithm, key.as_bytes()), password.as_bytes()))
        };
        match self {
            Self::Plain => password.to_owned(),
            Self::Sha256Hex => hex::encode(digest(&SHA256, password.as_bytes())),
            Self::WordPress => mac(hmac::HMAC_SHA384, "wp-sha384"),
            Self::Passlib(salt) => mac(hmac::HMAC_SHA256, salt),
        }
    }
}
