//! Encryption at rest of private keys, under the server's secret.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use secrecy::SecretString;

use super::derived_key::{Purpose, derive_key};
use crate::entropy::Entropy;
use crate::error::{Error, Result};

/// AES-256-GCM under a key derived from the server's secret.
pub struct KeyEncryption(LessSafeKey);

impl KeyEncryption {
    /// Derives the encryption key.
    pub fn new(secret: &SecretString) -> Result<Self> {
        let key = derive_key(secret, Purpose::SigningKeys)?;
        Ok(Self(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).map_err(Error::internal)?)))
    }

    /// Encrypts `plaintext` and binds it to `label`; the result starts with the random nonce.
    pub fn encrypt(&self, entropy: &dyn Entropy, label: &str, plaintext: &[u8]) -> Result<Vec<u8>> {
        let nonce: [u8; NONCE_LEN] = entropy.bytes();
        let mut buffer = plaintext.to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(label), &mut buffer)
            .map_err(Error::internal)?;
        Ok([nonce.as_slice(), &buffer].concat())
    }

    /// Decrypts the result of [`KeyEncryption::encrypt`] for the same `label`; none if the secret is another one.
    pub fn decrypt(&self, label: &str, ciphertext: &[u8]) -> Option<Vec<u8>> {
        let (nonce, buffer) = ciphertext.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut buffer = buffer.to_vec();
        let plaintext = self.0.open_in_place(nonce, Aad::from(label), &mut buffer).ok()?;
        Some(plaintext.to_vec())
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
    fn ciphertext_decrypts_to_the_plaintext() {
        let ciphertext = key_encryption("one").encrypt(&SystemEntropy, "kid", b"the key").unwrap();
        assert_eq!(key_encryption("one").decrypt("kid", &ciphertext).as_deref(), Some(b"the key".as_slice()));
        assert!(!ciphertext.windows(7).any(|window| window == b"the key"));
        assert_ne!(
            key_encryption("one").encrypt(&SystemEntropy, "kid", b"the key").unwrap(),
            ciphertext,
            "nonces differ"
        );
    }

    #[test]
    fn other_secret_other_label_or_altered_ciphertext_is_rejected() {
        let ciphertext = key_encryption("one").encrypt(&SystemEntropy, "kid", b"the key").unwrap();
        assert_eq!(key_encryption("two").decrypt("kid", &ciphertext), None);
        assert_eq!(key_encryption("one").decrypt("another kid", &ciphertext), None);
        for at in 0..ciphertext.len() {
            let mut changed = ciphertext.clone();
            changed[at] ^= 1;
            assert_eq!(key_encryption("one").decrypt("kid", &changed), None, "byte {at}");
            assert_eq!(key_encryption("one").decrypt("kid", &ciphertext[..at]), None, "cut at {at}");
        }
    }
}
