//! Who is calling: by name and password in `Authorization: Basic`, or by name and token in `X-Auth-Token`.

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderName};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;

use crate::account::handle::is_called;
use crate::account::requester::{Credentials, Requester, Visitor};
use crate::app::App;
use crate::error::{Error, TokenFault};
use crate::rest::failure::{Failure, challenge};

/// The header with a name and a token.
const TOKEN: HeaderName = HeaderName::from_static("x-auth-token");

/// The answer to all credentials that do not hold.
const FAILED: &str = "Authorization failed";

/// A name and a password that do not open a login.
pub(super) fn wrong_password() -> Failure {
    Failure::unauthorized("Basic realm=\"accountd\", charset=\"UTF-8\"", FAILED)
}

/// The name and the password of a login (RFC 7617 section 2).
pub(super) fn basic(headers: &HeaderMap) -> Option<(String, SecretString)> {
    let (scheme, pair) = only(headers, &AUTHORIZATION)?.trim().split_once(' ')?;
    if scheme.eq_ignore_ascii_case("basic") { decoded(pair.trim()) } else { None }
}

/// Who is calling, by `X-Auth-Token` or, without it, by the credentials that every route takes.
///
/// # Errors
/// 401 for credentials that do not hold, and for a token that is not of the named user.
pub(super) async fn caller(app: &App, visitor: Visitor, headers: &HeaderMap) -> Result<Requester, Failure> {
    let client = visitor.client.clone();
    let pair = headers.contains_key(&TOKEN).then(|| only(headers, &TOKEN).and_then(decoded));
    let (credentials, name) = match pair {
        None => (visitor.credentials, None),
        Some(Some((name, token))) => (Credentials::Bearer(token), Some(name)),
        Some(None) => (Credentials::Malformed, None),
    };
    let identified = Visitor { credentials, client: visitor.client }.identify(app).await;
    let requester = identified.map_err(|error| Failure::of(&error, &client))?;
    match requester.signed_in() {
        Ok(caller) if name.is_none_or(|name| is_called(&caller.user, &name.as_str().into())) => Ok(requester),
        Ok(_) => Err(Failure::unauthorized(challenge(TokenFault::Invalid), FAILED)),
        Err(error) => Err(refused(&error, &requester)),
    }
}

/// Why the caller does not get what they want.
pub(super) fn refused(error: &Error, requester: &Requester) -> Failure {
    match error {
        Error::Unauthenticated(fault) => Failure::unauthorized(challenge(*fault), FAILED),
        other => Failure::of(other, &requester.client),
    }
}

/// The value of a header that came once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    value.to_str().ok()
}

/// What stands in front of the first colon, and the rest.
fn decoded(pair: &str) -> Option<(String, SecretString)> {
    let text = String::from_utf8(STANDARD.decode(pair).ok()?).ok()?;
    let (name, secret) = text.split_once(':')?;
    Some((name.to_owned(), secret.to_owned().into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn reads_basic_credentials_and_nothing_else() {
        let read = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, value.parse().unwrap());
            }
            basic(&headers).map(|(name, password)| (name, password.expose_secret().to_owned()))
        };
        let pair = |name: &str, password: &str| Some((name.to_owned(), password.to_owned()));
        assert_eq!(read(&["Basic YW5uOnB3"]), pair("ann", "pw"));
        assert_eq!(read(&["basic  YW5uOnB3"]), pair("ann", "pw"));
        assert_eq!(read(&[&format!("Basic {}", STANDARD.encode("ann:p:w:"))]), pair("ann", "p:w:"));
        assert_eq!(read(&[&format!("Basic {}", STANDARD.encode("jürgen:ß"))]), pair("jürgen", "ß"));
        for values in [&[][..], &["Basic"], &["Basic !"], &["Basic YW5u"], &["Bearer YW5uOnB3"], &["Basic YW5uOnB3"; 2]]
        {
            assert_eq!(read(values), None, "{values:?}");
        }
        assert_eq!(read(&[&format!("Basic {}", STANDARD.encode(b"ann:\xff"))]), None);
    }
}
