//! The cookie that holds a token, and the header that may stand in its place.

use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};

use super::error::UserApiError;
use crate::account::caller::auth_cookies::FetchSite;
use crate::account::caller::requester::{Credentials, RequestAuth, RequestContext, Requester};
use crate::app::App;

/// The name of the cookie; its value is the token in base64.
const COOKIE_NAME: &str = "user-api-credentials";

/// A header that sets the cookie.
type SetCookie = [(HeaderName, HeaderValue); 1];

/// Whoever sends the request. The header counts before the cookie, which does not count at all where a page of somebody
/// else has the browser send it.
///
/// # Errors
/// Internal ones only.
pub(super) async fn authenticate(
    app: &App,
    visitor: RequestAuth,
    headers: &HeaderMap,
) -> Result<Requester, UserApiError> {
    let client = visitor.context.clone();
    let visitor = match visitor.credentials {
        Credentials::None => RequestAuth { credentials: cookie_credentials(headers, &client), context: client },
        _ => visitor,
    };
    let client = visitor.context.clone();
    visitor.authenticate(app).await.map_err(|error| UserApiError::from_error(&error, &client))
}

/// Whether the request came with the cookie.
pub(super) fn has_cookie(headers: &HeaderMap) -> bool {
    cookie_value(headers).is_some()
}

fn cookie_credentials(headers: &HeaderMap, client: &RequestContext) -> Credentials {
    match cookie_value(headers) {
        Some(value) if client.fetch_site != FetchSite::Cross => {
            let decoded = STANDARD.decode(value).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            decoded.map_or(Credentials::Malformed, |token| Credentials::Bearer(token.into()))
        }
        _ => Credentials::None,
    }
}

/// The value of the first cookie with the name, unless it is empty.
fn cookie_value(headers: &HeaderMap) -> Option<&str> {
    let texts = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, value)| *found == COOKIE_NAME && !value.is_empty()).map(|(_, value)| value)
}

/// Has the browser keep a token until `end`.
pub(super) fn token_cookie(token: &SecretString, end: DateTime<Utc>, client: &RequestContext) -> Option<SetCookie> {
    build_cookie(&STANDARD.encode(token.expose_secret()), end, client)
}

/// Has the browser forget the token.
pub(super) fn cleared_cookie(client: &RequestContext) -> Option<SetCookie> {
    build_cookie("", DateTime::UNIX_EPOCH, client)
}

/// `Secure` everywhere but on a plain connection to this very machine; scripts and pages of others never get at it.
fn build_cookie(value: &str, end: DateTime<Utc>, client: &RequestContext) -> Option<SetCookie> {
    let expires = end.format("%a, %d %b %Y %H:%M:%S GMT");
    let secure = if client.is_plain_loopback { "" } else { "; Secure" };
    let text = format!("{COOKIE_NAME}={value}; Expires={expires}; HttpOnly; Path=/; SameSite=Lax{secure}");
    let mut cookie = HeaderValue::from_str(&text).ok()?;
    cookie.set_sensitive(true);
    Some([(SET_COOKIE, cookie)])
}
