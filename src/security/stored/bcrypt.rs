//! bcrypt in crypt strings: `$2b$12$` with 22 characters of salt and 31 of hash. `2a`, `2b` and `2y` differ in bugs of
//! early makers only; `2x` marks hashes made with such a bug, and is not taken.

use base64::Engine;
use base64::alphabet::BCRYPT;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};

use super::{Unusable, cost, equal};

/// The dearest cost that is verified at all: 2^14 rounds.
const MAX_COST: u32 = 14;

/// The cheapest cost that bcrypt knows.
const MIN_COST: u32 = 4;

const SALT_LENGTH: usize = 16;
const SALT_CHARACTERS: usize = 22;

/// The last of the cipher's 24 bytes is not stored.
const HASH_LENGTH: usize = 23;

/// Bytes of a password that count.
const MAX_PASSWORD: usize = 72;

/// Some makers left the bits behind the last byte as chance had it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &BCRYPT,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::RequireNone),
);

/// A hash and what it was made with.
#[derive(Debug)]
pub struct Bcrypt {
    cost: u32,
    salt: [u8; SALT_LENGTH],
    expected: [u8; HASH_LENGTH],
}

/// Reads what stands behind the mark of the version.
pub(super) fn parse(text: &str) -> Result<Bcrypt, Unusable> {
    let (digits, rest) = text.split_once('$').ok_or(Unusable::Malformed)?;
    let (salt, hash) = rest.split_at_checked(SALT_CHARACTERS).ok_or(Unusable::Malformed)?;
    let cost = cost(digits, MAX_COST)?;
    if cost < MIN_COST || digits.len() != 2 {
        return Err(Unusable::Malformed);
    }
    Ok(Bcrypt { cost, salt: decoded(salt)?, expected: decoded(hash)? })
}

fn decoded<const N: usize>(text: &str) -> Result<[u8; N], Unusable> {
    let bytes = BASE64.decode(text).map_err(|_| Unusable::Malformed)?;
    bytes.try_into().map_err(|_| Unusable::Malformed)
}

impl Bcrypt {
    pub(super) fn matches(&self, password: &str) -> bool {
        // It ends with a NUL, so none can be within; nobody has such a password.
        if password.contains('\0') {
            return false;
        }
        let bytes: Vec<u8> = password.bytes().chain([0]).take(MAX_PASSWORD).collect();
        let output = bcrypt::bcrypt(self.cost, self.salt, &bytes);
        output.first_chunk::<HASH_LENGTH>().is_some_and(|output| equal(output, &self.expected))
    }
}
