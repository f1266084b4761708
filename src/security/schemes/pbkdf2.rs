//! PBKDF2 (RFC 8018 section 5.2) in the formats of passlib, Werkzeug, Django, Kratos and user-api.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2::{self, Algorithm, PBKDF2_HMAC_SHA1, PBKDF2_HMAC_SHA256, PBKDF2_HMAC_SHA512};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use super::{UnusableHash, check_key_length, decode_base64, has_trailing_nul, parse_cost};

/// The highest cost that is verified, in rounds of the digest.
const MAX_ROUNDS: u32 = 10_000_000;

/// A parsed hash and its parameters.
#[derive(Debug)]
pub struct Pbkdf2 {
    digest: Digest,
    iterations: NonZeroU32,
    salt: Vec<u8>,
    expected: Vec<u8>,
    encoding: Encoding,
}

/// The hash function that is iterated.
#[derive(Debug, Clone, Copy)]
enum Digest {
    Sha1,
    Sha256,
    Sha512,
}

impl Digest {
    fn from_name(name: &str) -> Result<Self, UnusableHash> {
        match name {
            "sha1" => Ok(Self::Sha1),
            "sha256" => Ok(Self::Sha256),
            "sha512" => Ok(Self::Sha512),
            _ => Err(UnusableHash::Unknown),
        }
    }

    fn output_length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    fn algorithm(self) -> Algorithm {
        match self {
            Self::Sha1 => PBKDF2_HMAC_SHA1,
            Self::Sha256 => PBKDF2_HMAC_SHA256,
            Self::Sha512 => PBKDF2_HMAC_SHA512,
        }
    }
}

/// The character encoding of the password.
#[derive(Debug, Clone, Copy)]
enum Encoding {
    Utf8,
    Latin1,
}

/// Parses any of the formats:
/// - `$pbkdf2-sha256$29000$<salt>$<hash>` of passlib, in its own base64;
/// - `pbkdf2:sha256:260000$<salt>$<hash>` of Werkzeug, the salt verbatim, the hash in hexadecimal digits;
/// - `pbkdf2_sha256$870000$<salt>$<hash>` of Django, the salt verbatim, the hash in base64;
/// - `$pbkdf2-sha256$i=100000,l=32$<salt>$<hash>` of Ory Kratos, both in base64;
/// - `$pbkdf2-sha1-hexsalt$i=1000$<salt>$<hash>` for user-api, which used the digits of its salt as the salt.
pub(super) fn parse(text: &str) -> Result<Pbkdf2, UnusableHash> {
    let parts: Vec<&str> = text.split('$').collect();
    match parts[..] {
        ["", "pbkdf2-sha1-hexsalt", iterations, salt, hash] => {
            let iterations = iterations.strip_prefix("i=").ok_or(UnusableHash::Malformed)?;
            let parsed = build(Digest::Sha1, iterations, Some(salt.into()), hex::decode(hash).ok())?;
            Ok(Pbkdf2 { encoding: Encoding::Latin1, ..parsed })
        }
        ["", scheme, iterations, salt, hash] => {
            let digest = match scheme {
                "pbkdf2" => Digest::Sha1,
                "pbkdf2-sha256" => Digest::Sha256,
                "pbkdf2-sha512" => Digest::Sha512,
                _ => return Err(UnusableHash::Unknown),
            };
            match iterations.strip_prefix("i=") {
                Some(costs) => parse_kratos(digest, costs, salt, hash),
                None => build(digest, iterations, decode_ab64(salt), decode_ab64(hash)),
            }
        }
        [method, salt, hash] => {
            let Some(["pbkdf2", digest, iterations]) = split_method(method) else { return Err(UnusableHash::Unknown) };
            build(Digest::from_name(digest)?, iterations, Some(salt.into()), hex::decode(hash).ok())
        }
        [method, iterations, salt, hash] => {
            let Some(("pbkdf2", digest)) = method.split_once('_') else { return Err(UnusableHash::Unknown) };
            build(Digest::from_name(digest)?, iterations, Some(salt.into()), STANDARD.decode(hash).ok())
        }
        _ => Err(UnusableHash::Unknown),
    }
}

/// Kratos writes the length of the key, too; other programs that use its format do not.
fn parse_kratos(digest: Digest, costs: &str, salt: &str, hash: &str) -> Result<Pbkdf2, UnusableHash> {
    let (iterations, length) = match costs.split_once(",l=") {
        Some((iterations, length)) => (iterations, Some(length)),
        None => (costs, None),
    };
    let parsed = build(digest, iterations, decode_base64(salt), decode_base64(hash))?;
    let has_stated_length = length.is_none_or(|length| length == parsed.expected.len().to_string());
    if has_stated_length { Ok(parsed) } else { Err(UnusableHash::Malformed) }
}

fn split_method(method: &str) -> Option<[&str; 3]> {
    method.split(':').collect::<Vec<_>>().try_into().ok()
}

/// passlib's base64: `.` for `+`, without padding.
fn decode_ab64(text: &str) -> Option<Vec<u8>> {
    (!text.contains('+')).then(|| STANDARD_NO_PAD.decode(text.replace('.', "+")).ok()).flatten()
}

fn build(
    digest: Digest,
    iterations: &str,
    salt: Option<Vec<u8>>,
    expected: Option<Vec<u8>>,
) -> Result<Pbkdf2, UnusableHash> {
    let iterations = parse_cost(iterations, MAX_ROUNDS)?;
    let (salt, expected) = (salt.ok_or(UnusableHash::Malformed)?, check_key_length(expected)?);
    // Each digest of the derived key costs all iterations.
    let digests = u32::try_from(expected.len().div_ceil(digest.output_length())).unwrap_or(u32::MAX);
    if iterations.saturating_mul(digests) > MAX_ROUNDS {
        return Err(UnusableHash::TooExpensive);
    }
    let iterations = NonZeroU32::new(iterations).ok_or(UnusableHash::Malformed)?;
    Ok(Pbkdf2 { digest, iterations, salt, expected, encoding: Encoding::Utf8 })
}

impl Pbkdf2 {
    pub(super) fn matches(&self, password: &str) -> bool {
        if has_trailing_nul(password) {
            return false;
        }
        let bytes = match self.encoding {
            Encoding::Utf8 => Some(password.as_bytes().to_vec()),
            // Characters outside Latin-1 could not be set.
            Encoding::Latin1 => password.chars().map(|character| u8::try_from(character).ok()).collect(),
        };
        let algorithm = self.digest.algorithm();
        let verify = |bytes: Vec<u8>| pbkdf2::verify(algorithm, self.iterations, &self.salt, &bytes, &self.expected);
        bytes.is_some_and(|bytes| verify(bytes).is_ok())
    }
}
