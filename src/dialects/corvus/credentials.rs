//! Credentials: username and password in `Authorization: Basic`, username and token in `X-Auth-Token`.

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderName};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;

use crate::account::caller::request_auth::{Credentials, RequestAuth};
use crate::account::caller::requester::Requester;
use crate::account::user::handle::matches;
use crate::app::App;
use crate::dialects::http_error::HttpError;
use crate::error::{Error, TokenError};

/// The header with base64 of `name:token`.
const X_AUTH_TOKEN: HeaderName = HeaderName::from_static("x-auth-token");

/// Response text for all invalid credentials.
const AUTHORIZATION_FAILED: &str = "Authorization failed";

/// 401 for a wrong username or password, with a Basic challenge.
pub(super) fn invalid_credentials() -> HttpError {
    HttpError::unauthorized("Basic realm=\"accountd\", charset=\"UTF-8\"", AUTHORIZATION_FAILED)
}

/// Username and password of the Basic credentials (RFC 7617 section 2).
pub(super) fn basic_credentials(headers: &HeaderMap) -> Option<(String, SecretString)> {
    let (scheme, pair) = single_value(headers, &AUTHORIZATION)?.trim().split_once(' ')?;
    if scheme.eq_ignore_ascii_case("basic") { decode_pair(pair.trim()) } else { None }
}

/// Authenticates the caller by `X-Auth-Token` or, without it, by the credentials that every route accepts.
///
/// # Errors
/// 401 for invalid credentials, and for a token of another user than the named one.
pub(super) async fn identify(app: &App, auth: RequestAuth, headers: &HeaderMap) -> Result<Requester, HttpError> {
    let context = auth.context.clone();
    let pair = headers.contains_key(&X_AUTH_TOKEN).then(|| single_value(headers, &X_AUTH_TOKEN).and_then(decode_pair));
    let (credentials, name) = match pair {
        None => (auth.credentials, None),
        Some(Some((name, token))) => (Credentials::Bearer(token), Some(name)),
        Some(None) => (Credentials::Malformed, None),
    };
    let identified = RequestAuth { credentials, context: auth.context }.authenticate(app).await;
    let requester = identified.map_err(|error| HttpError::from_error(&error, &context))?;
    match requester.authenticated() {
        Ok(caller) if name.is_none_or(|name| matches(&caller.user, &name.as_str().into())) => Ok(requester),
        Ok(_) => Err(HttpError::unauthorized(TokenError::Invalid.bearer_challenge(), AUTHORIZATION_FAILED)),
        Err(error) => Err(authentication_error(&error, &requester)),
    }
}

/// As [`identify`], for a caller who need not change the password first.
pub(super) async fn authenticate(app: &App, auth: RequestAuth, headers: &HeaderMap) -> Result<Requester, HttpError> {
    let requester = identify(app, auth, headers).await?;
    match requester.caller() {
        Ok(_) => Ok(requester),
        Err(error) => Err(authentication_error(&error, &requester)),
    }
}

/// Maps an authentication error.
pub(super) fn authentication_error(error: &Error, requester: &Requester) -> HttpError {
    match error {
        Error::Unauthenticated(fault) => HttpError::unauthorized(fault.bearer_challenge(), AUTHORIZATION_FAILED),
        other => HttpError::from_error(other, &requester.context),
    }
}

/// The value of a header that occurs exactly once.
fn single_value<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    value.to_str().ok()
}

/// Decodes base64 and splits at the first colon.
fn decode_pair(pair: &str) -> Option<(String, SecretString)> {
    let text = String::from_utf8(STANDARD.decode(pair).ok()?).ok()?;
    let (name, secret) = text.split_once(':')?;
    Some((name.to_owned(), secret.to_owned().into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::caller::request_context::RequestContext;
    use crate::account::caller::requester::Identity;
    use crate::error::samples::assert_statuses;
    use secrecy::ExposeSecret;

    #[test]
    fn corvus_responds_by_the_table() {
        let context = RequestContext::new(None, None, String::new());
        let requester = Requester { identity: Identity::Anonymous, context };
        assert_statuses(|error| authentication_error(&error, &requester).status().as_u16(), &[]);
    }

    #[test]
    fn only_well_formed_basic_credentials_are_read() {
        let read = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, value.parse().unwrap());
            }
            basic_credentials(&headers).map(|(name, password)| (name, password.expose_secret().to_owned()))
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
