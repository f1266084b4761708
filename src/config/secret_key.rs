//! The server's secret, and the strength of secrets.

use secrecy::SecretString;

use super::database::Database;
use super::problem::invalid;
use super::reader::Reader;

/// RFC 7518 section 3.2 asks for a key as long as the hash, 32 bytes with SHA-256.
const MIN_SECRET_BYTES: usize = 32;

/// 32 random bytes have about 30 different characters in base64 and 14 in hex; repeated `changeme` has 7.
const MIN_DISTINCT_BYTES: usize = 8;

/// Words of published examples. Matching words keeps the full examples out of the binary.
const PLACEHOLDERS: [&str; 6] = ["secret", "changeme", "change-me", "change_me", "password", "example"];

const SECRET_HINT: &str = "make one with: head -c 32 /dev/urandom | base64";

/// The server's secret. All servers on one database share it, so a database server requires it in the settings.
pub(super) fn read_secret_key(reader: &mut Reader, database: Option<&Database>) -> Option<SecretString> {
    if reader.is_set("secret_key") {
        return read_secret(reader, "secret_key");
    }
    if let Some(Database::Server(_)) = database {
        let problem = "is missing; it has no default with a database server".to_owned();
        reader.reject("secret_key", problem, format!("{SECRET_HINT}, and set it as ACCOUNTD_SECRET_KEY"));
    }
    None
}

/// A strong secret, without a trailing newline from a shell.
pub(super) fn read_secret(reader: &mut Reader, name: &'static str) -> Option<SecretString> {
    reader.read_secret(name, |text| {
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        match weakness(text) {
            Some(problem) => Err(invalid(&problem, SECRET_HINT)),
            None => Ok(text.into()),
        }
    })
}

/// Why a secret is guessable, if so.
fn weakness(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let distinct = bytes.iter().collect::<std::collections::BTreeSet<_>>().len();
    let lower = text.to_ascii_lowercase();
    if bytes.len() < MIN_SECRET_BYTES {
        return Some(format!("has {} bytes, but needs {MIN_SECRET_BYTES}", bytes.len()));
    }
    if distinct < MIN_DISTINCT_BYTES {
        return Some(format!("has only {distinct} different bytes"));
    }
    if (1..=bytes.len() / 2)
        .any(|period| bytes.iter().zip(bytes.iter().skip(period)).all(|(left, right)| left == right))
    {
        return Some("repeats itself".to_owned());
    }
    PLACEHOLDERS.iter().any(|word| lower.contains(word)).then(|| "looks like a published example".to_owned())
}
