//! Which database, and the server's secret, which depends on it.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::reader::Reader;
use super::{InvalidValue, invalid, parse_server_url};

/// Where accounts are kept.
#[derive(Clone, Debug)]
pub enum Database {
    /// An SQLite file, made at the first start.
    Embedded(PathBuf),
    /// The URL of a PostgreSQL or MySQL/MariaDB server; it may hold a password.
    Server(SecretString),
}

const SERVER_SCHEMES: [&str; 4] = ["postgres", "postgresql", "mysql", "mariadb"];

/// RFC 7518 section 3.2 asks for a key as long as the hash, 32 bytes with SHA-256.
const MIN_SECRET_BYTES: usize = 32;

/// 32 random bytes in base64 or hex have about 30 or 14 different characters; `changeme` over and
/// over has 7.
const MIN_DISTINCT_BYTES: usize = 8;

/// Words of published examples. Matching words instead of whole examples keeps the examples out of
/// the binary.
const PLACEHOLDERS: [&str; 6] = ["secret", "changeme", "change-me", "change_me", "password", "example"];

const SECRET_HINT: &str = "make one with: head -c 32 /dev/urandom | base64";

pub(super) fn read_url(reader: &mut Reader, data_dir: Option<&Path>) -> Option<Database> {
    if reader.is_set("database_url") {
        return reader.read_secret("database_url", parse_url);
    }
    Some(Database::Embedded(data_dir?.join("accountd.db")))
}

fn parse_url(text: &str) -> Result<Database, InvalidValue> {
    if let Some(path) = text.strip_prefix("sqlite:") {
        return parse_file(path.strip_prefix("//").unwrap_or(path));
    }
    match text.split_once("://") {
        Some((scheme, _)) if SERVER_SCHEMES.contains(&scheme) => {
            parse_server_url(text, "write it like postgres://user:password@host/database")
                .map(|url| Database::Server(url.into()))
        }
        _ => Err(invalid(
            "is not the URL of a database that is supported",
            "begin it with sqlite:, postgres://, postgresql://, mysql:// or mariadb://",
        )),
    }
}

fn parse_file(path: &str) -> Result<Database, InvalidValue> {
    let problem = match path {
        "" => "names no file",
        ":memory:" => "would forget every account when the server stops",
        path if path.contains('?') => "has parameters, which the server sets itself",
        path => return Ok(Database::Embedded(PathBuf::from(path))),
    };
    Err(invalid(problem, "write sqlite: and the path of a file, like sqlite:/var/lib/accountd/accountd.db"))
}

/// The server's secret. Several servers on one database must share it, so beside a database server it has to be given.
pub(super) fn read_secret_key(reader: &mut Reader, database: Option<&Database>) -> Option<SecretString> {
    if reader.is_set("secret_key") {
        return read_secret(reader, "secret_key");
    }
    if let Some(Database::Server(_)) = database {
        let problem = "is missing; beside a database server there is no default".to_owned();
        reader.reject("secret_key", problem, format!("{SECRET_HINT}, and set it as ACCOUNTD_SECRET_KEY"));
    }
    None
}

/// A secret that nobody guesses, without the newline that a shell may have left at its end.
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

/// Why a secret could be guessed, if it could.
fn weakness(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let distinct = bytes.iter().collect::<std::collections::BTreeSet<_>>().len();
    let lower = text.to_ascii_lowercase();
    if bytes.len() < MIN_SECRET_BYTES {
        return Some(format!("has {} bytes, and needs {MIN_SECRET_BYTES}", bytes.len()));
    }
    if distinct < MIN_DISTINCT_BYTES {
        return Some(format!("is made of only {distinct} different bytes"));
    }
    if (1..=bytes.len() / 2)
        .any(|period| bytes.iter().zip(bytes.iter().skip(period)).all(|(left, right)| left == right))
    {
        return Some("repeats itself".to_owned());
    }
    PLACEHOLDERS.iter().any(|word| lower.contains(word)).then(|| "looks like a published example".to_owned())
}
