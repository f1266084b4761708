//! Credentials: the token cookie, and the header that takes precedence over it.

use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};

use super::error::UserApiError;
use crate::account::caller::auth_cookies::FetchSite;
use crate::account::caller::request_auth::{Credentials, RequestAuth};
use crate::account::caller::request_context::RequestContext;
use crate::account::caller::requester::Requester;
use crate::app::App;
use crate::headers::cookie;

/// Name of the cookie; its value is the token in base64.
const COOKIE_NAME: &str = "user-api-credentials";

/// A `Set-Cookie` header.
type SetCookie = [(HeaderName, HeaderValue); 1];

/// Authenticates the request. The header takes precedence over the cookie, which is ignored on cross-site requests.
pub(super) async fn authenticate(app: &App, auth: RequestAuth, headers: &HeaderMap) -> Result<Requester, UserApiError> {
    let context = auth.context.clone();
    let auth = match auth.credentials {
        Credentials::None => RequestAuth { credentials: cookie_credentials(headers, &context), context },
        _ => auth,
    };
    let context = auth.context.clone();
    auth.authenticate(app).await.map_err(|error| UserApiError::from_error(&error, &context))
}

/// Whether the request has the cookie.
pub(super) fn has_cookie(headers: &HeaderMap) -> bool {
    cookie::find(headers, COOKIE_NAME).is_some()
}

fn cookie_credentials(headers: &HeaderMap, context: &RequestContext) -> Credentials {
    match cookie::find(headers, COOKIE_NAME) {
        Some(value) if context.fetch_site != FetchSite::Cross => {
            let decoded = STANDARD.decode(value).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            decoded.map_or(Credentials::Malformed, |token| Credentials::Bearer(token.into()))
        }
        _ => Credentials::None,
    }
}

/// A cookie with the token that expires at `end`.
pub(super) fn token_cookie(token: &SecretString, end: DateTime<Utc>, context: &RequestContext) -> Option<SetCookie> {
    build_cookie(&STANDARD.encode(token.expose_secret()), end, context)
}

/// A cookie that clears the token.
pub(super) fn cleared_cookie(context: &RequestContext) -> Option<SetCookie> {
    build_cookie("", DateTime::UNIX_EPOCH, context)
}

/// Always `HttpOnly` and `SameSite=Lax`; `Secure` except on plain HTTP to a loopback address.
fn build_cookie(value: &str, end: DateTime<Utc>, context: &RequestContext) -> Option<SetCookie> {
    let expires = end.format("%a, %d %b %Y %H:%M:%S GMT");
    let secure = if context.is_plain_loopback { "" } else { "; Secure" };
    let text = format!("{COOKIE_NAME}={value}; Expires={expires}; HttpOnly; Path=/; SameSite=Lax{secure}");
    let mut cookie = HeaderValue::from_str(&text).ok()?;
    cookie.set_sensitive(true);
    Some([(SET_COOKIE, cookie)])
}
