//! Firebase's scrypt in the format of Ory Kratos: `$firescrypt$ln=14,r=8,p=1$<salt>$<hash>$<separator>$<signer key>`,
//! all in base64. scrypt derives a key of AES-256 in counter mode, and the hash is the project's signer key encrypted
//! with it.

use aws_lc_rs::cipher::{AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use scrypt::Params;

use super::scrypt::{checked_params, parse_named_costs};
use super::{UnusableHash, constant_time_eq, decode_base64, has_trailing_nul, parse_cost};

/// Bytes that scrypt derives; the first half is the key.
const DERIVED_LENGTH: usize = 64;
const KEY_LENGTH: usize = 32;

/// Lengths of a signer key in bytes: Firebase's have 64.
const SIGNER_KEY_LENGTHS: std::ops::RangeInclusive<usize> = 32..=64;

/// The highest exponent of `N`.
const MAX_LOG_N: u32 = 17;

/// A parsed hash and its parameters.
#[derive(Debug)]
pub struct Firebase {
    params: Params,
    /// The account's salt and the project's separator.
    salt: Vec<u8>,
    signer_key: Vec<u8>,
    expected: Vec<u8>,
}

/// Parses the format, if the text is of it.
pub(super) fn parse(text: &str) -> Option<Result<Firebase, UnusableHash>> {
    text.strip_prefix("$firescrypt$").map(parse_fields)
}

fn parse_fields(text: &str) -> Result<Firebase, UnusableHash> {
    let parts: Vec<&str> = text.split('$').collect();
    let [costs, salt, hash, separator, signer_key] = parts[..] else { return Err(UnusableHash::Malformed) };
    let [n, r, p] = parse_named_costs(costs)?;
    let n = 1_u32.checked_shl(parse_cost(n, MAX_LOG_N)?).ok_or(UnusableHash::TooExpensive)?;
    let params = checked_params(n, parse_cost(r, u32::MAX)?, parse_cost(p, u32::MAX)?)?;
    let bytes = |text: &str| decode_base64(text).ok_or(UnusableHash::Malformed);
    let (expected, signer_key) = (bytes(hash)?, bytes(signer_key)?);
    if !SIGNER_KEY_LENGTHS.contains(&signer_key.len()) || expected.len() != signer_key.len() {
        return Err(UnusableHash::Malformed);
    }
    let salt = [bytes(salt)?, bytes(separator)?].concat();
    Ok(Firebase { params, salt, signer_key, expected })
}

impl Firebase {
    pub(super) fn matches(&self, password: &str) -> bool {
        !has_trailing_nul(password)
            && self.encrypt_signer_key(password).is_some_and(|hash| constant_time_eq(&hash, &self.expected))
    }

    fn encrypt_signer_key(&self, password: &str) -> Option<Vec<u8>> {
        let mut derived = [0; DERIVED_LENGTH];
        scrypt::scrypt(password.as_bytes(), &self.salt, &self.params, &mut derived).ok()?;
        let key = UnboundCipherKey::new(&AES_256, derived.first_chunk::<KEY_LENGTH>()?).ok()?;
        let mut text = self.signer_key.clone();
        // Each account has its own key, which encrypts only this one text.
        let counter = EncryptionContext::Iv128(FixedLength::from([0; 16]));
        EncryptingKey::ctr(key).ok()?.less_safe_encrypt(&mut text, counter).ok()?;
        Some(text)
    }
}
