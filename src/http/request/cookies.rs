//! Cookies that keep tokens out of the reach of scripts.
//!
//! Tokens consist of letters, digits, `-`, `_` and dots, so they need no encoding. Two names need no cookie crate:
//! writing is one expression.

use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue, Uri};
use secrecy::{ExposeSecret, SecretString};

use super::fetch_site::RequestOrigin;
use crate::account::caller::auth_cookies::{AuthCookies, FetchSite};
use crate::account::caller::request_auth::{Credentials, RequestAuth};
use crate::app::App;
use crate::graphql::CookieUpdate;
use crate::headers::cookie;

/// Browsers store a cookie whose name and value together have at most this many bytes (RFC 6265 section 6.1).
const MAX_COOKIE_BYTES: usize = 4_096;

/// The names of the two cookies, and their attributes, for one kind of origin.
#[derive(Clone, Copy)]
struct CookieNames {
    access: &'static str,
    refresh: &'static str,
    /// The attributes of `Set-Cookie`, except `Max-Age`.
    attributes: &'static str,
}

/// Browsers accept the prefix over https only, with these attributes and without `Domain`. So no other host of the
/// domain can set or read the cookies (RFC 6265bis section 4.1.3.2).
const HOST_PREFIXED: CookieNames = CookieNames {
    access: "__Host-accountd-access",
    refresh: "__Host-accountd-refresh",
    attributes: "Path=/; Secure; HttpOnly; SameSite=Lax",
};

/// For local development over plain http, where Safari stores no `Secure` cookies.
const PLAIN_LOOPBACK: CookieNames = CookieNames {
    access: "accountd-access",
    refresh: "accountd-refresh",
    attributes: "Path=/; HttpOnly; SameSite=Lax",
};

/// The token cookies of one exchange: read from the request, set by the response.
pub(in crate::http) struct TokenCookies {
    names: CookieNames,
}

impl TokenCookies {
    /// Reads the request's cookies into `auth`, where the sending page is trusted.
    pub fn read(app: &App, uri: &Uri, headers: &HeaderMap, auth: &mut RequestAuth) -> Self {
        let RequestCookies { fetch_site, names, access, refresh } = RequestCookies::read(app, uri, headers);
        auth.context.cookies = AuthCookies::new(fetch_site, access.is_some() || refresh.is_some(), refresh);
        use_access_cookie(auth, fetch_site, access);
        Self { names }
    }

    /// Adds the `Set-Cookie` headers of an update.
    pub fn apply(&self, update: Option<CookieUpdate>, headers: &mut HeaderMap) {
        let names = self.names;
        match update {
            None => {}
            Some(CookieUpdate::Clear) => {
                append_set_cookie(headers, names, names.access, None, 0);
                append_set_cookie(headers, names, names.refresh, None, 0);
            }
            Some(CookieUpdate::Set(tokens)) => {
                // The access token's cookie outlives the token: the server can then answer "expired" and the client
                // refreshes. Without the cookie the client would appear signed out.
                append_set_cookie(headers, names, names.access, tokens.access_token.as_ref(), tokens.max_age_seconds);
                append_set_cookie(headers, names, names.refresh, Some(&tokens.refresh_token), tokens.max_age_seconds);
            }
        }
    }
}

/// The cookies that a request sent.
struct RequestCookies {
    /// The site of the page that sent the request.
    fetch_site: FetchSite,
    names: CookieNames,
    access: Option<SecretString>,
    refresh: Option<SecretString>,
}

impl RequestCookies {
    fn read(app: &App, uri: &Uri, headers: &HeaderMap) -> Self {
        let origin = RequestOrigin::new(uri, headers);
        let names = if origin.is_plain_loopback() { PLAIN_LOOPBACK } else { HOST_PREFIXED };
        let fetch_site = origin.fetch_site(&app.config.cors);
        Self {
            fetch_site,
            names,
            access: cookie::find(headers, names.access).map(SecretString::from),
            refresh: cookie::find(headers, names.refresh).map(SecretString::from),
        }
    }
}

/// Applies the access token's cookie to a request without other credentials, where the sending page is trusted.
pub(in crate::http) fn apply_access_cookie(app: &App, uri: &Uri, headers: &HeaderMap, auth: &mut RequestAuth) {
    let cookies = RequestCookies::read(app, uri, headers);
    use_access_cookie(auth, cookies.fetch_site, cookies.access);
}

fn use_access_cookie(auth: &mut RequestAuth, fetch_site: FetchSite, access: Option<SecretString>) {
    // An `Authorization` header takes precedence over the cookie.
    if let (true, Credentials::None, Some(access)) = (fetch_site.is_trusted(), &auth.credentials, access) {
        auth.credentials = Credentials::Bearer(access);
    }
}

/// Appends a `Set-Cookie` header that stores `value` for `seconds`, or clears the cookie if there is no value.
fn append_set_cookie(
    headers: &mut HeaderMap,
    names: CookieNames,
    name: &str,
    value: Option<&SecretString>,
    seconds: i64,
) {
    let (value, seconds) = value.map_or(("", 0), |value| (value.expose_secret(), seconds));
    if name.len() + value.len() > MAX_COOKIE_BYTES {
        tracing::error!(name, bytes = value.len(), "token too long for a cookie: browsers will drop it");
    }
    if let Ok(mut cookie) = HeaderValue::from_str(&format!("{name}={value}; {}; Max-Age={seconds}", names.attributes)) {
        cookie.set_sensitive(true);
        headers.append(SET_COOKIE, cookie);
    }
}
