//! Stored password hashes: those that accountd makes, and those that older services made and their users bring along.
//!
//! What a stored text asks for is read and held to bounds before anything is computed: whoever can write one row, or
//! one line of a file that is imported, must not stop the service with it (promise C8).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine;
use base64::alphabet::STANDARD as STANDARD_ALPHABET;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::pool::Scratch;

pub mod argon2id;
mod bcrypt;
mod firebase;
mod pbkdf2;
mod phpass;
mod scrypt;
mod sha_crypt;

use argon2id::Argon2id;
use bcrypt::Bcrypt;
use firebase::Firebase;
use pbkdf2::Pbkdf2;
use phpass::Phpass;
use salted_digest::SaltedDigest;
use scrypt::Scrypt;
use sha_crypt::ShaCrypt;

pub use detection::looks_like_hash;
pub use wrappers::strip_wrappers;

/// Longest text that is looked at, in bytes: what the column takes.
const MAX_LENGTH: usize = 255;

/// Sizes of a derived key, in bytes. A shorter one would be met by chance, a longer one only costs.
const KEY_LENGTHS: std::ops::RangeInclusive<usize> = 16..=64;

/// A stored hash that can be computed.
#[derive(Debug)]
pub enum StoredHash {
    /// A PHC string of Argon2id, as accountd and PlantDB make them, or of Argon2i.
    Argon2id(Argon2id),
    /// A crypt string of bcrypt, as flask_auth_service_mongo makes them, or bcrypt of a digest.
    Bcrypt(Bcrypt),
    /// PBKDF2 in the forms of passlib, Werkzeug, Django, Kratos and user-api.
    Pbkdf2(Pbkdf2),
    /// scrypt in the forms of Werkzeug, Django, passlib and Node's programs.
    Scrypt(Scrypt),
    /// Firebase's scrypt.
    Firebase(Firebase),
    /// crypt(3)'s SHA-256 and SHA-512.
    ShaCrypt(ShaCrypt),
    /// PHPass's portable hashes, as WordPress and phpBB make them.
    Phpass(Phpass),
    /// One digest over a salt and the password, as LDAP servers and older Werkzeugs make them.
    SaltedDigest(SaltedDigest),
}

/// Why a stored text is no hash that can be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnusableHash {
    /// Longer than what is kept.
    TooLong,
    /// Of no scheme that is known.
    Unknown,
    /// Of a known scheme, and not in its form.
    Malformed,
    /// Its cost is beyond the bounds.
    TooExpensive,
}

impl UnusableHash {
    /// The reason in words.
    pub fn explanation(self) -> &'static str {
        match self {
            Self::TooLong => "its password hash is longer than 255 bytes",
            Self::Unknown => "its password hash is of no known scheme",
            Self::Malformed => "its password hash is damaged",
            Self::TooExpensive => "its password hash costs more than is computed",
        }
    }
}

impl StoredHash {
    /// Reads a stored text.
    ///
    /// # Errors
    /// Why it cannot be computed.
    pub fn parse(text: &str) -> Result<Self, UnusableHash> {
        if text.len() > MAX_LENGTH {
            return Err(UnusableHash::TooLong);
        }
        if text.starts_with("$argon2id$") || text.starts_with("$argon2i$") {
            return argon2id::parse(text).map(Self::Argon2id);
        }
        let schemes = [
            bcrypt::parse(text).map(|hash| hash.map(Self::Bcrypt)),
            scrypt::parse(text).map(|hash| hash.map(Self::Scrypt)),
            firebase::parse(text).map(|hash| hash.map(Self::Firebase)),
            sha_crypt::parse(text).map(|hash| hash.map(Self::ShaCrypt)),
            phpass::parse(text).map(|hash| hash.map(Self::Phpass)),
            salted_digest::parse(text).map(|hash| hash.map(Self::SaltedDigest)),
        ];
        schemes.into_iter().flatten().next().unwrap_or_else(|| pbkdf2::parse(text).map(Self::Pbkdf2))
    }

    /// The name of the scheme, for people.
    pub fn scheme(&self) -> &'static str {
        match self {
            Self::Argon2id(_) => "Argon2",
            Self::Bcrypt(_) => "bcrypt",
            Self::Pbkdf2(_) => "PBKDF2",
            Self::Scrypt(_) => "scrypt",
            Self::Firebase(_) => "Firebase scrypt",
            Self::ShaCrypt(_) => "SHA-crypt",
            Self::Phpass(_) => "PHPass",
            Self::SaltedDigest(_) => "salted SHA",
        }
    }

    /// Whether `password` is the one behind the hash, without the hashing pool: for the command line.
    pub fn verify_unpooled(&self, password: &str) -> bool {
        self.matches(password, &mut Scratch::new())
    }

    /// Whether `password` is the one behind the hash.
    pub(super) fn matches(&self, password: &str, memory: &mut Scratch) -> bool {
        match self {
            Self::Argon2id(hash) => hash.matches(password, memory),
            Self::Bcrypt(hash) => hash.matches(password),
            Self::Pbkdf2(hash) => hash.matches(password),
            Self::Scrypt(hash) => hash.matches(password),
            Self::Firebase(hash) => hash.matches(password),
            Self::ShaCrypt(hash) => hash.matches(password),
            Self::Phpass(hash) => hash.matches(password),
            Self::SaltedDigest(hash) => hash.matches(password),
        }
    }
}

/// A cost written in decimal digits, up to `most`.
fn parse_cost(digits: &str, most: u32) -> Result<u32, UnusableHash> {
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(UnusableHash::Malformed);
    }
    // What does not fit is more than any bound.
    let cost = digits.parse().unwrap_or(u32::MAX);
    if cost > most { Err(UnusableHash::TooExpensive) } else { Ok(cost) }
}

/// A derived key, if it has a size that is believed.
fn check_key_length(bytes: Option<Vec<u8>>) -> Result<Vec<u8>, UnusableHash> {
    bytes.filter(|bytes| KEY_LENGTHS.contains(&bytes.len())).ok_or(UnusableHash::Malformed)
}

/// Bytes written in hexadecimal digits.
fn decode_hex(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| std::str::from_utf8(pair).ok().filter(|_| pair.len() == 2))
        .map(|pair| decode_hex_byte(pair?))
        .collect()
}

/// The hexadecimal digits of bytes.
fn encode_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Base64 (RFC 4648 section 4), with its padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD_ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn decode_base64(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}

fn decode_hex_byte(pair: &str) -> Option<u8> {
    // The parser would take a sign, too.
    pair.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u8::from_str_radix(pair, 16).ok()).flatten()
}

/// Whether HMAC, which both functions are made of, would not see the end of the password: it fills keys up with NULs
/// (RFC 2104 section 2).
fn has_trailing_nul(password: &str) -> bool {
    password.ends_with('\0')
}

/// Compares in constant time.
fn constant_time_eq(left: &[u8], right: &[u8]) -> bool {
    verify_slices_are_equal(left, right).is_ok()
}

mod detection;
mod salted_digest;
#[cfg(test)]
mod tests;
mod wrappers;
