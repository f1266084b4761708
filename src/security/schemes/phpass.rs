//! PHPass's portable hashes, as WordPress before 6.8 (`$P$`) and phpBB (`$H$`) write them: iterated MD5, in a base64
//! alphabet of its own.

use md5::{Digest, Md5};

use super::{UnusableHash, constant_time_eq};

const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Exponents of the accepted rounds: WordPress has 13.
const MIN_COST: usize = 7;
const MAX_COST: usize = 17;

const SALT_LENGTH: usize = 8;

/// Characters of the hash.
const HASH_LENGTH: usize = 22;

/// A parsed hash and its parameters.
#[derive(Debug)]
pub struct Phpass {
    rounds: u32,
    salt: String,
    expected: Vec<u8>,
}

/// Parses the format, if the text is of it.
pub(super) fn parse(text: &str) -> Option<Result<Phpass, UnusableHash>> {
    text.strip_prefix("$P$").or_else(|| text.strip_prefix("$H$")).map(parse_fields)
}

fn parse_fields(text: &str) -> Result<Phpass, UnusableHash> {
    let cost = text.bytes().next().and_then(alphabet_value).ok_or(UnusableHash::Malformed)?;
    let (salt, hash) =
        text.get(1..).and_then(|rest| rest.split_at_checked(SALT_LENGTH)).ok_or(UnusableHash::Malformed)?;
    let is_in_alphabet = hash.bytes().all(|character| alphabet_value(character).is_some());
    if cost < MIN_COST || hash.len() != HASH_LENGTH || !is_in_alphabet {
        return Err(UnusableHash::Malformed);
    }
    if cost > MAX_COST {
        return Err(UnusableHash::TooExpensive);
    }
    Ok(Phpass { rounds: 1 << cost, salt: salt.to_owned(), expected: hash.into() })
}

/// The value of a character of the alphabet.
fn alphabet_value(character: u8) -> Option<usize> {
    ALPHABET.iter().position(|candidate| *candidate == character)
}

impl Phpass {
    pub(super) fn matches(&self, password: &str) -> bool {
        let mut hash = Md5::new_with_prefix(&self.salt).chain_update(password).finalize();
        for _ in 0..self.rounds {
            hash = Md5::new_with_prefix(hash).chain_update(password).finalize();
        }
        constant_time_eq(&encode(&hash), &self.expected)
    }
}

/// Three bytes become four characters, the lowest six bits first.
fn encode(bytes: &[u8]) -> Vec<u8> {
    let character = |bits: usize| ALPHABET.get(bits & 63).copied().unwrap_or_default();
    let group = |chunk: &[u8]| -> Vec<u8> {
        let value = chunk.iter().rev().fold(0, |value, byte| value << 8 | usize::from(*byte));
        (0..=chunk.len()).map(|place| character(value >> (6 * place))).collect()
    };
    bytes.chunks(3).flat_map(group).collect()
}
