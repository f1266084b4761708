//! One digest over a salt and the password: `{SSHA}`, `{SSHA256}` and `{SSHA512}` of LDAP servers, and `sha256$` and
//! the like of Werkzeug before 3 and of old Djangos. They are taken because the first login replaces them; one without
//! a salt is not, and neither is MD5.

use aws_lc_rs::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA512, digest};
use aws_lc_rs::hmac;

use super::{Unusable, base64, equal, hex};

/// Shortest salt, in bytes: less is as good as none.
const MIN_SALT: usize = 4;

/// A hash and what it was made with.
#[derive(Debug)]
pub struct Salted {
    digest: Digest,
    salt: Vec<u8>,
    expected: Vec<u8>,
    order: Order,
}

#[derive(Debug, Clone, Copy)]
enum Digest {
    Sha1,
    Sha256,
    Sha512,
}

/// How salt and password are put together.
#[derive(Debug)]
enum Order {
    /// The salt behind the password.
    PasswordSalt,
    /// The salt as the key of an HMAC (Werkzeug), or before the password (Django): the form does not tell which.
    KeyOrSaltPassword,
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

/// Reads any of the forms, if the text is one:
/// - `{SSHA}<hash and salt>` in base64, also `{SSHA256}` and `{SSHA512}`, in small letters, too;
/// - `sha256$<salt>$<hash>`, the salt as it stands, the hash in hexadecimal digits; also `sha1` and `sha512`.
pub(super) fn parse(text: &str) -> Option<Result<Salted, Unusable>> {
    if let Some((name, rest)) = text.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        let digest = match name.to_ascii_uppercase().as_str() {
            "SSHA" => Digest::Sha1,
            "SSHA256" => Digest::Sha256,
            "SSHA512" => Digest::Sha512,
            _ => return None,
        };
        return Some(ldap(digest, rest));
    }
    let (name, rest) = text.split_once('$')?;
    let digest = match name {
        "sha1" => Digest::Sha1,
        "sha256" => Digest::Sha256,
        "sha512" => Digest::Sha512,
        _ => return None,
    };
    Some(flask(digest, rest))
}

fn ldap(digest: Digest, text: &str) -> Result<Salted, Unusable> {
    let bytes = base64(text).ok_or(Unusable::Malformed)?;
    let (hash, salt) = bytes.split_at_checked(digest.algorithm().output_len()).ok_or(Unusable::Malformed)?;
    made(digest, salt, hash, Order::PasswordSalt)
}

fn flask(digest: Digest, text: &str) -> Result<Salted, Unusable> {
    let (salt, hash) = text.split_once('$').ok_or(Unusable::Malformed)?;
    let hash = hex(hash).ok_or(Unusable::Malformed)?;
    made(digest, salt.as_bytes(), &hash, Order::KeyOrSaltPassword)
}

fn made(digest: Digest, salt: &[u8], hash: &[u8], order: Order) -> Result<Salted, Unusable> {
    if salt.len() < MIN_SALT || hash.len() != digest.algorithm().output_len() {
        return Err(Unusable::Malformed);
    }
    Ok(Salted { digest, salt: salt.into(), expected: hash.into(), order })
}

impl Salted {
    pub(super) fn matches(&self, password: &str) -> bool {
        let (salt, password) = (self.salt.as_slice(), password.as_bytes());
        let is_digest = |text: Vec<u8>| equal(digest(self.digest.algorithm(), &text).as_ref(), &self.expected);
        match self.order {
            Order::PasswordSalt => is_digest([password, salt].concat()),
            Order::KeyOrSaltPassword => {
                let mac = hmac::sign(&hmac::Key::new(self.digest.mac(), salt), password);
                equal(mac.as_ref(), &self.expected) || is_digest([salt, password].concat())
            }
        }
    }
}
