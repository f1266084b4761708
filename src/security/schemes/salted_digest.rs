//! One digest over a salt and the password: `{SSHA}`, `{SSHA256}` and `{SSHA512}` of LDAP servers, and `sha256$` and
//! similar of Werkzeug before 3 and of old Django versions. They are accepted because the first login replaces them;
//! digests without a salt and MD5 are rejected.

use aws_lc_rs::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA512, digest};
use aws_lc_rs::hmac;

use super::{UnusableHash, constant_time_eq, decode_base64};

/// Shortest salt in bytes: less is as good as none.
const MIN_SALT: usize = 4;

/// A parsed hash and its parameters.
#[derive(Debug)]
pub struct SaltedDigest {
    digest: Digest,
    salt: Vec<u8>,
    expected: Vec<u8>,
    order: SaltOrder,
}

#[derive(Debug, Clone, Copy)]
enum Digest {
    Sha1,
    Sha256,
    Sha512,
}

/// How salt and password are combined.
#[derive(Debug)]
enum SaltOrder {
    /// The salt behind the password.
    PasswordThenSalt,
    /// The salt as the key of an HMAC (Werkzeug), or before the password (Django): the format does not say which.
    HmacOrSaltThenPassword,
}

impl Digest {
    fn algorithm(self) -> &'static Algorithm {
        match self {
            Self::Sha1 => &SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &SHA256,
            Self::Sha512 => &SHA512,
        }
    }

    fn mac(self) -> hmac::Algorithm {
        match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha512 => hmac::HMAC_SHA512,
        }
    }
}

/// Parses any of the formats, if the text is of one:
/// - `{SSHA}<hash and salt>` in base64, also `{SSHA256}` and `{SSHA512}`, also in lower case;
/// - `sha256$<salt>$<hash>`, the salt verbatim, the hash in hexadecimal digits; also `sha1` and `sha512`.
pub(super) fn parse(text: &str) -> Option<Result<SaltedDigest, UnusableHash>> {
    if let Some((name, rest)) = text.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        let digest = match name.to_ascii_uppercase().as_str() {
            "SSHA" => Digest::Sha1,
            "SSHA256" => Digest::Sha256,
            "SSHA512" => Digest::Sha512,
            _ => return None,
        };
        return Some(parse_ldap(digest, rest));
    }
    let (name, rest) = text.split_once('$')?;
    let digest = match name {
        "sha1" => Digest::Sha1,
        "sha256" => Digest::Sha256,
        "sha512" => Digest::Sha512,
        _ => return None,
    };
    Some(parse_werkzeug(digest, rest))
}

fn parse_ldap(digest: Digest, text: &str) -> Result<SaltedDigest, UnusableHash> {
    let bytes = decode_base64(text).ok_or(UnusableHash::Malformed)?;
    let (hash, salt) = bytes.split_at_checked(digest.algorithm().output_len()).ok_or(UnusableHash::Malformed)?;
    build(digest, salt, hash, SaltOrder::PasswordThenSalt)
}

fn parse_werkzeug(digest: Digest, text: &str) -> Result<SaltedDigest, UnusableHash> {
    let (salt, hash) = text.split_once('$').ok_or(UnusableHash::Malformed)?;
    let hash = hex::decode(hash).map_err(|_| UnusableHash::Malformed)?;
    build(digest, salt.as_bytes(), &hash, SaltOrder::HmacOrSaltThenPassword)
}

fn build(digest: Digest, salt: &[u8], hash: &[u8], order: SaltOrder) -> Result<SaltedDigest, UnusableHash> {
    if salt.len() < MIN_SALT || hash.len() != digest.algorithm().output_len() {
        return Err(UnusableHash::Malformed);
    }
    Ok(SaltedDigest { digest, salt: salt.into(), expected: hash.into(), order })
}

impl SaltedDigest {
    pub(super) fn matches(&self, password: &str) -> bool {
        let (salt, password) = (self.salt.as_slice(), password.as_bytes());
        let is_digest =
            |text: Vec<u8>| constant_time_eq(digest(self.digest.algorithm(), &text).as_ref(), &self.expected);
        match self.order {
            SaltOrder::PasswordThenSalt => is_digest([password, salt].concat()),
            SaltOrder::HmacOrSaltThenPassword => {
                let mac = hmac::sign(&hmac::Key::new(self.digest.mac(), salt), password);
                constant_time_eq(mac.as_ref(), &self.expected) || is_digest([salt, password].concat())
            }
        }
    }
}
