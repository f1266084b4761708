//! URLs of servers, which may hold a password: what is wrong with one is said without a word of it.

use url::{ParseError, Url};

use super::{InvalidValue, invalid};

/// How characters that end a user's name or a password are written in it (RFC 3986 section 2.1).
const ENCODING_HINT: &str = "percent-encode such characters in the user's name and in the password: \
    %23 for #, %2F for /, %3F for ?, %40 for @, %3A for :, %25 for %, %20 for a blank";

/// What the driver for PostgreSQL reads of a URL's parameters. It logs others with their values.
const POSTGRES_PARAMETERS: [&str; 18] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];

/// The URL of a server, without the newline that a shell may have left at its end; `example` shows how to write one.
///
/// # Errors
/// Which part of the URL is wrong. A password with a character in it that ends it would otherwise be read as a host, a
/// port or a path, and told to whoever reads why these cannot be used.
pub(crate) fn parse_server_url<'a>(text: &'a str, example: &str) -> Result<&'a str, InvalidValue> {
    let text = text.trim_end_matches(['\n', '\r']);
    if text.chars().any(|char| char.is_whitespace() || char.is_control()) {
        return Err(invalid("has a blank, or a character that cannot be seen", ENCODING_HINT));
    }
    let Some((_, rest)) = text.split_once("://") else {
        return Err(invalid("has no :// behind its scheme", example));
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let behind = rest.get(authority.len()..).unwrap_or_default();
    if behind.contains('@') {
        return Err(invalid("has a / ? or # before its @, which ends the password there", ENCODING_HINT));
    }
    if behind.contains('#') {
        return Err(invalid("has a #, behind which nothing is read", ENCODING_HINT));
    }
    let parsed = Url::parse(text).map_err(|error| match error {
        ParseError::InvalidPort => invalid("has something behind its host that is no port", ENCODING_HINT),
        _ => invalid("has something in the place of its host that is none", example),
    })?;
    // PostgreSQL's and MySQL's clients take the place of a socket from the parameters, too.
    let names_socket = parsed.query_pairs().any(|(key, _)| matches!(&*key, "host" | "hostaddr" | "socket"));
    match parsed.host_str() {
        None | Some("") if !names_socket => Err(invalid("names no server", example)),
        _ => Ok(text),
    }
}

/// The URL without parameters that the driver for PostgreSQL does not read, and how many those are; nothing if it is no
/// URL.
pub(crate) fn strip_unknown_parameters(text: &str) -> Option<(String, usize)> {
    let mut url = Url::parse(text).ok()?;
    let is_read = |key: &str| key.starts_with("options[") || POSTGRES_PARAMETERS.contains(&key);
    let all: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let (read, unread): (Vec<_>, Vec<_>) = all.into_iter().partition(|(key, _)| is_read(key));
    // The other drivers say nothing of theirs.
    if unread.is_empty() || !url.scheme().starts_with("postgres") {
        return Some((text.to_owned(), 0));
    }
    url.query_pairs_mut().clear().extend_pairs(read);
    Some((url.into(), unread.len()))
}
