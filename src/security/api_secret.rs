//! API secrets: generated once, shown once, stored as a hash.
//!
//! A secret has 256 random bits (122 as a UUID), so its plain SHA-256 can be neither inverted nor guessed. It can be
//! looked up by its hash: the time of a lookup reveals nothing about the secret.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use uuid::{Builder, Uuid};

use crate::entropy::Entropy;

/// Prefix of a dotted secret, by which people and secret scanners recognize it.
const PREFIX: &str = "accountd.";

/// Characters of 32 bytes in base64url.
const RANDOM_LENGTH: usize = 43;

/// Longest secret that is accepted, in bytes.
const MAX_LENGTH: usize = 128;

/// The format of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretFormat {
    /// `accountd.<id>.<random>`: three parts with dots between them, as clients of JWTs expect.
    Dotted,
    /// A UUIDv4 in lower case with dashes.
    Uuid,
}

/// Generates a secret for the token with this public id.
pub fn generate(entropy: &dyn Entropy, id: &str, format: SecretFormat) -> SecretString {
    match format {
        SecretFormat::Dotted => format!("{PREFIX}{id}.{}", URL_SAFE_NO_PAD.encode(entropy.bytes::<32>())),
        SecretFormat::Uuid => Builder::from_random_bytes(entropy.bytes()).into_uuid().hyphenated().to_string(),
    }
    .into()
}

/// Whether `text` has the format of an API secret; a JWT never has.
pub fn has_format(text: &str) -> bool {
    if text.len() > MAX_LENGTH {
        return false;
    }
    match text.strip_prefix(PREFIX).and_then(|rest| rest.split_once('.')) {
        Some((id, random)) => !id.is_empty() && random.len() == RANDOM_LENGTH,
        None => text.contains('-') && text.parse::<Uuid>().is_ok_and(|uuid| uuid.hyphenated().to_string() == text),
    }
}

/// The stored form of a secret: its SHA-256 in lower-case hexadecimal digits.
pub fn hash(secret: &str) -> String {
    hex::encode(fingerprint(secret))
}

/// The SHA-256 of a secret or of a token.
pub fn fingerprint(secret: &str) -> [u8; 32] {
    digest(&SHA256, secret.as_bytes()).as_ref().first_chunk().copied().unwrap_or_default()
}

/// Compares two secrets; the time reveals neither where they differ nor how long they are.
pub fn constant_time_eq(given: &str, expected: &str) -> bool {
    let [given, expected] = [given, expected].map(|secret| digest(&SHA256, secret.as_bytes()));
    verify_slices_are_equal(given.as_ref(), expected.as_ref()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;
    use std::collections::BTreeSet;

    use crate::entropy::SystemEntropy;

    const ID: &str = "tok_01h455vb4pex5vsknk084sn02q";

    /// S7: at least 122 random bits, and never the same twice.
    #[test]
    fn generated_secret_has_the_format_and_is_unique() {
        let mut hashes = BTreeSet::new();
        for format in [SecretFormat::Dotted, SecretFormat::Uuid] {
            for _ in 0..100 {
                let secret = generate(&SystemEntropy, ID, format);
                assert!(has_format(secret.expose_secret()));
                assert!(hashes.insert(hash(secret.expose_secret())));
            }
        }
        let dotted = generate(&SystemEntropy, ID, SecretFormat::Dotted);
        let parts: Vec<&str> = dotted.expose_secret().split('.').collect();
        assert_eq!((parts.len(), parts[1], URL_SAFE_NO_PAD.decode(parts[2]).unwrap().len()), (3, ID, 32));
        let uuid = generate(&SystemEntropy, ID, SecretFormat::Uuid);
        assert_eq!(uuid.expose_secret().parse::<Uuid>().unwrap().get_version_num(), 4);
    }

    #[test]
    fn other_text_is_no_secret() {
        for text in [
            "",
            "accountd.",
            "accountd..",
            "accountd.tok_1.short",
            "eyJ0eXAiOiJhdCtqd3QifQ.e30.c2ln",
            "01890a5dac96774bbcceb302099a8057",
            "01890A5D-AC96-774B-BCCE-B302099A8057",
            "{01890a5d-ac96-774b-bcce-b302099a8057}",
        ] {
            assert!(!has_format(text), "{text}");
        }
        assert!(!has_format(&format!("accountd.{}.{}", "x".repeat(500), "y".repeat(RANDOM_LENGTH))));
    }

    #[test]
    fn stored_hash_is_plain_sha_256() {
        assert_eq!(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
