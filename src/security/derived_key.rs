//! Keys derived from the server's secret, one per purpose.

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use secrecy::{ExposeSecret, SecretString};

use crate::error::{Error, Result};

/// What a derived key is for.
#[derive(Debug, Clone, Copy)]
pub enum Purpose {
    /// Encrypts signing keys in the database.
    SigningKeys,
    /// Hashes login names that no user has.
    UnknownNames,
}

impl Purpose {
    /// The `info` of RFC 5869 section 3.2: no two purposes have the same key.
    fn info(self) -> &'static [u8] {
        match self {
            Self::SigningKeys => b"accountd signing keys v1",
            Self::UnknownNames => b"accountd unknown names v1",
        }
    }
}

/// Derives the key for `purpose` (HKDF-SHA-256, RFC 5869).
///
/// # Errors
/// [`Error::Internal`] if the derivation fails.
pub fn derive_key(secret: &SecretString, purpose: Purpose) -> Result<[u8; 32]> {
    let mut key = [0; 32];
    Salt::new(HKDF_SHA256, &[])
        .extract(secret.expose_secret().as_bytes())
        .expand(&[purpose.info()], HKDF_SHA256)
        .and_then(|output| output.fill(&mut key))
        .map_err(Error::internal)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_key_depends_on_secret_and_purpose() {
        let key = |secret: &str, purpose| derive_key(&secret.to_owned().into(), purpose).unwrap();
        assert_eq!(key("one", Purpose::SigningKeys), key("one", Purpose::SigningKeys));
        assert_ne!(key("one", Purpose::SigningKeys), key("one", Purpose::UnknownNames));
        assert_ne!(key("one", Purpose::UnknownNames), key("two", Purpose::UnknownNames));
    }
}
