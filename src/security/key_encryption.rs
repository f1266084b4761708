//! Seals what must not lie readable in the database, under the server's secret.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use secrecy::{ExposeSecret, SecretString};

use crate::entropy::Entropy;
use crate::error::{Error, Result};

/// Says what the derived key is for (RFC 5869 section 3.2), so that no other use of the secret yields the same key.
const HKDF_INFO: &[u8] = b"accountd signing keys v1";

/// AES-256-GCM under a key derived from the server's secret.
pub struct KeyEncryption(LessSafeKey);

impl KeyEncryption {
    /// Derives the sealing key (HKDF-SHA-256, RFC 5869).
    ///
    /// # Errors
    /// Internal ones only.
    pub fn new(secret: &SecretString) -> Result<Self> {
        let mut key = [0; 32];
        Salt::new(HKDF_SHA256, &[])
            .extract(secret.expose_secret().as_bytes())
            .expand(&[HKDF_INFO], HKDF_SHA256)
            .and_then(|output| output.fill(&mut key))
            .map_err(Error::internal)?;
        Ok(Self(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).map_err(Error::internal)?)))
    }

    /// Seals `plain` and binds it to `label`; the random nonce stands in front.
    ///
    /// # Errors
    /// Internal ones only.
    pub fn encrypt(&self, entropy: &dyn Entropy, label: &str, plain: &[u8]) -> Result<Vec<u8>> {
        let nonce: [u8; NONCE_LEN] = entropy.bytes();
        let mut text = plain.to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(label), &mut text)
            .map_err(Error::internal)?;
        Ok([nonce.as_slice(), &text].concat())
    }

    /// Opens what [`Seal::close`] made for the same `label`, or nothing if the secret is another one.
    pub fn decrypt(&self, label: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let plain = self.0.open_in_place(nonce, Aad::from(label), &mut text).ok()?;
        Some(plain.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    fn key_encryption(secret: &str) -> KeyEncryption {
        KeyEncryption::new(&secret.to_owned().into()).unwrap()
    }

    #[test]
    fn opens_what_it_closed() {
        let sealed = key_encryption("one").encrypt(&SystemEntropy, "kid", b"the key").unwrap();
        assert_eq!(key_encryption("one").decrypt("kid", &sealed).as_deref(), Some(b"the key".as_slice()));
        assert!(!sealed.windows(7).any(|window| window == b"the key"));
        assert_ne!(key_encryption("one").encrypt(&SystemEntropy, "kid", b"the key").unwrap(), sealed, "nonces differ");
    }

    #[test]
    fn opens_nothing_under_another_secret_or_label_and_nothing_that_was_changed() {
        let sealed = key_encryption("one").encrypt(&SystemEntropy, "kid", b"the key").unwrap();
        assert_eq!(key_encryption("two").decrypt("kid", &sealed), None);
        assert_eq!(key_encryption("one").decrypt("another kid", &sealed), None);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(key_encryption("one").decrypt("kid", &changed), None, "byte {at}");
            assert_eq!(key_encryption("one").decrypt("kid", &sealed[..at]), None, "cut at {at}");
        }
    }
}
