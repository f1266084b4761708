//! The database to use.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::problem::{InvalidValue, invalid};
use super::reader::Reader;
use super::server_url::parse_server_url;

/// The database to use.
#[derive(Clone, Debug)]
pub enum Database {
    /// An SQLite file, created at the first start.
    Embedded(PathBuf),
    /// The URL of a PostgreSQL or MySQL/MariaDB server; it may hold a password.
    Server(SecretString),
}

const SERVER_SCHEMES: [&str; 4] = ["postgres", "postgresql", "mysql", "mariadb"];

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
            parse_server_url(text, "use a URL like postgres://user:password@host/database")
                .map(|url| Database::Server(url.into()))
        }
        _ => Err(invalid(
            "is not the URL of a supported database",
            "start it with sqlite:, postgres://, postgresql://, mysql:// or mariadb://",
        )),
    }
}

fn parse_file(path: &str) -> Result<Database, InvalidValue> {
    let problem = match path {
        "" => "names no file",
        ":memory:" => "would lose all users when the server stops",
        path if path.contains('?') => "has parameters, but the server sets its own",
        path => return Ok(Database::Embedded(PathBuf::from(path))),
    };
    Err(invalid(problem, "use sqlite: and a file path, like sqlite:/var/lib/accountd/accountd.db"))
}
