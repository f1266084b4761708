//! SHA-256 and SHA-512 of crypt(3) in crypt strings: `$6$rounds=656000$<salt>$<hash>` and `$5$…`, 5,000 rounds if none
//! are given (Drepper, "Unix crypt using SHA-256 and SHA-512").

use sha_crypt::PasswordVerifier;

use super::{UnusableHash, parse_cost};

/// The highest cost that is verified, in rounds: passlib's default is 656,000.
const MAX_ROUNDS: u32 = 1_000_000;

/// The fewest rounds that the format allows.
const MIN_ROUNDS: u32 = 1_000;

/// Longest salt in characters.
const MAX_SALT_LENGTH: usize = 16;

/// Longest password that is hashed, in bytes: each round reads it up to three times.
const MAX_PASSWORD_BYTES: usize = 256;

/// A well-formed crypt string.
pub struct ShaCrypt(String);

impl std::fmt::Debug for ShaCrypt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ShaCrypt(..)")
    }
}

/// Parses the format, if the text is of it.
pub(super) fn parse(text: &str) -> Option<Result<ShaCrypt, UnusableHash>> {
    let (length, rest) = match (text.strip_prefix("$5$"), text.strip_prefix("$6$")) {
        (Some(rest), _) => (43, rest),
        (_, Some(rest)) => (86, rest),
        _ => return None,
    };
    Some(validate(length, rest).map(|()| ShaCrypt(text.to_owned())))
}

fn validate(length: usize, text: &str) -> Result<(), UnusableHash> {
    let parts: Vec<&str> = text.split('$').collect();
    let (salt, hash) = match parts[..] {
        [salt, hash] => (salt, hash),
        [rounds, salt, hash] => {
            let rounds = rounds.strip_prefix("rounds=").ok_or(UnusableHash::Malformed)?;
            if parse_cost(rounds, MAX_ROUNDS)? < MIN_ROUNDS {
                return Err(UnusableHash::Malformed);
            }
            (salt, hash)
        }
        _ => return Err(UnusableHash::Malformed),
    };
    let is_base64 = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/'));
    let is_well_formed =
        (1..=MAX_SALT_LENGTH).contains(&salt.len()) && hash.len() == length && is_base64(salt) && is_base64(hash);
    if is_well_formed { Ok(()) } else { Err(UnusableHash::Malformed) }
}

impl ShaCrypt {
    pub(super) fn matches(&self, password: &str) -> bool {
        let hasher = sha_crypt::ShaCrypt::default();
        // It compares in constant time.
        password.len() <= MAX_PASSWORD_BYTES && hasher.verify_password(password.as_bytes(), self.0.as_str()).is_ok()
    }
}
