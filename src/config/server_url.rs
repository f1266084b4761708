//! URLs of servers, which may hold a password: errors never quote them.

use url::{ParseError, Url};

use super::problem::{InvalidValue, invalid};

/// The fix for special characters in a user name or password (RFC 3986 section 2.1).
const ENCODING_HINT: &str = "percent-encode special characters in the user name and the password: \
    %23 for #, %2F for /, %3F for ?, %40 for @, %3A for :, %25 for %, %20 for a space";

/// URL parameters that the PostgreSQL driver reads. It logs all others with their values.
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

/// The URL of a server, without a trailing newline from a shell; `example` shows the expected form.
///
/// # Errors
/// The wrong part of the URL. An unencoded character would turn part of the password into a host, port or path, and
/// errors of the connection would show it.
pub(crate) fn parse_server_url<'a>(text: &'a str, example: &str) -> Result<&'a str, InvalidValue> {
    let text = text.trim_end_matches(['\n', '\r']);
    if text.chars().any(|char| char.is_whitespace() || char.is_control()) {
        return Err(invalid("has a space or a control character", ENCODING_HINT));
    }
    let Some((_, rest)) = text.split_once("://") else {
        return Err(invalid("has no :// after its scheme", example));
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let after = rest.get(authority.len()..).unwrap_or_default();
    if after.contains('@') {
        return Err(invalid("has a / ? or # before its @, which ends the password early", ENCODING_HINT));
    }
    if after.contains('#') {
        return Err(invalid("has a #, after which nothing is read", ENCODING_HINT));
    }
    let parsed = Url::parse(text).map_err(|error| match error {
        ParseError::InvalidPort => invalid("has an invalid port", ENCODING_HINT),
        _ => invalid("has an invalid host", example),
    })?;
    // PostgreSQL's and MySQL's clients also read the path of a socket from the parameters.
    let names_socket = parsed.query_pairs().any(|(key, _)| matches!(&*key, "host" | "hostaddr" | "socket"));
    match parsed.host_str() {
        None | Some("") if !names_socket => Err(invalid("names no server", example)),
        _ => Ok(text),
    }
}

/// The URL without parameters unknown to the PostgreSQL driver, and their number; `None` if it is not a URL.
pub(crate) fn strip_unknown_parameters(text: &str) -> Option<(String, usize)> {
    let mut url = Url::parse(text).ok()?;
    let is_read = |key: &str| key.starts_with("options[") || POSTGRES_PARAMETERS.contains(&key);
    let all: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let (read, unread): (Vec<_>, Vec<_>) = all.into_iter().partition(|(key, _)| is_read(key));
    // The other drivers log none of theirs.
    if unread.is_empty() || !url.scheme().starts_with("postgres") {
        return Some((text.to_owned(), 0));
    }
    url.query_pairs_mut().clear().extend_pairs(read);
    Some((url.into(), unread.len()))
}
