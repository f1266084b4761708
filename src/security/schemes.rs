//! Stored password hashes: the own scheme, and those of older services for imported users.
//!
//! The parameters of a stored hash are parsed and bounded before anything is computed: one row or one imported line
//! must not stop the service (promise C8).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine;
use base64::alphabet::STANDARD as STANDARD_ALPHABET;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

pub mod argon2id;
mod bcrypt;
mod detection;
mod firebase;
mod pbkdf2;
mod phpass;
mod salted_digest;
mod scrypt;
mod sha_crypt;
mod wrappers;

use argon2id::{Argon2id, Scratch};
use bcrypt::Bcrypt;
use firebase::Firebase;
use pbkdf2::Pbkdf2;
use phpass::Phpass;
use salted_digest::SaltedDigest;
use scrypt::Scrypt;
use sha_crypt::ShaCrypt;

pub use detection::looks_like_hash;
pub use wrappers::strip_wrappers;

/// Longest stored hash in bytes: the length of the column.
const MAX_LENGTH: usize = 255;

/// Accepted lengths of a derived key in bytes. A shorter one would match by chance, a longer one only costs.
const KEY_LENGTHS: std::ops::RangeInclusive<usize> = 16..=64;

/// A stored hash that can be verified.
#[derive(Debug)]
pub enum StoredHash {
    /// A PHC string of Argon2id, as accountd and PlantDB write it, or of Argon2i.
    Argon2id(Argon2id),
    /// A crypt string of bcrypt, as flask-auth-service-mongo writes it, or bcrypt of a digest.
    Bcrypt(Bcrypt),
    /// PBKDF2 in the formats of passlib, Werkzeug, Django, Kratos and user-api.
    Pbkdf2(Pbkdf2),
    /// scrypt in the formats of Werkzeug, Django, passlib and Node programs.
    Scrypt(Scrypt),
    /// Firebase's scrypt.
    Firebase(Firebase),
    /// SHA-256 and SHA-512 of crypt(3).
    ShaCrypt(ShaCrypt),
    /// PHPass's portable hashes, as WordPress and phpBB write them.
    Phpass(Phpass),
    /// One digest over a salt and the password, as LDAP servers and older Werkzeug versions write it.
    SaltedDigest(SaltedDigest),
}

/// Why a stored hash cannot be verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnusableHash {
    /// It is longer than the column.
    TooLong,
    /// Its scheme is not supported.
    Unknown,
    /// Its scheme is supported, but the text is malformed.
    Malformed,
    /// Its cost exceeds the limit.
    TooExpensive,
}

impl UnusableHash {
    /// The reason as a clause for messages.
    pub fn explanation(self) -> &'static str {
        match self {
            Self::TooLong => "its password hash is longer than 255 bytes",
            Self::Unknown => "its password hash has an unsupported scheme",
            Self::Malformed => "its password hash is malformed",
            Self::TooExpensive => "its password hash exceeds the cost limit",
        }
    }
}

impl StoredHash {
    /// Parses a stored hash.
    ///
    /// # Errors
    /// Why it cannot be verified.
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

    /// Display name of the scheme.
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

    /// Verifies `password` without the hashing pool: for the command line.
    pub fn verify_unpooled(&self, password: &str) -> bool {
        self.matches(password, &mut Scratch::new())
    }

    /// Verifies `password`.
    pub(super) fn matches(&self, password: &str, scratch: &mut Scratch) -> bool {
        match self {
            Self::Argon2id(hash) => hash.matches(password, scratch),
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

/// Parses a cost in decimal digits, up to `limit`.
fn parse_cost(digits: &str, limit: u32) -> Result<u32, UnusableHash> {
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(UnusableHash::Malformed);
    }
    // What does not fit exceeds any limit.
    let cost = digits.parse().unwrap_or(u32::MAX);
    if cost > limit { Err(UnusableHash::TooExpensive) } else { Ok(cost) }
}

/// A derived key, if its length is accepted.
fn check_key_length(bytes: Option<Vec<u8>>) -> Result<Vec<u8>, UnusableHash> {
    bytes.filter(|bytes| KEY_LENGTHS.contains(&bytes.len())).ok_or(UnusableHash::Malformed)
}

/// Base64 (RFC 4648 section 4), with its padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD_ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn decode_base64(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}

/// Whether HMAC, on which PBKDF2 and scrypt are built, would ignore the end of the password: it pads keys with NULs
/// (RFC 2104 section 2).
fn has_trailing_nul(password: &str) -> bool {
    password.ends_with('\0')
}

/// Compares in constant time.
fn constant_time_eq(left: &[u8], right: &[u8]) -> bool {
    verify_slices_are_equal(left, right).is_ok()
}

#[cfg(test)]
mod tests;
