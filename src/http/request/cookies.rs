//! Cookies: tokens that browsers keep out of the reach of scripts.
//!
//! A token is made of letters, digits, `-`, `_` and dots, so it needs none of the encodings that cookie crates bring,
//! and two names need no jar: reading and writing are one expression each.

use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, Uri};
use secrecy::{ExposeSecret, SecretString};

use super::fetch_site::RequestOrigin;
use crate::account::caller::auth_cookies::{AuthCookies, CookieUpdate, FetchSite};
use crate::account::caller::requester::{Credentials, RequestAuth};
use crate::app::App;

/// Browsers keep name and value of a cookie up to this many bytes (RFC 6265 section 6.1).
const MAX_COOKIE_BYTES: usize = 4_096;

/// The two cookies by the names they have in one place.
#[derive(Clone, Copy)]
struct CookieNames {
    access: &'static str,
    refresh: &'static str,
    /// What their `Set-Cookie` says beside value and life.
    attributes: &'static str,
}

/// Browsers take the prefix only from https, with these attributes and without `Domain`: no other host of the domain
/// can set or read them (RFC 6265bis section 4.1.3.2).
const HOST_PREFIXED: CookieNames = CookieNames {
    access: "__Host-accountd-access",
    refresh: "__Host-accountd-refresh",
    attributes: "Path=/; Secure; HttpOnly; SameSite=Lax",
};

/// For development on one machine by plain http, where Safari keeps no `Secure` cookies.
const PLAIN_LOOPBACK: CookieNames = CookieNames {
    access: "accountd-access",
    refresh: "accountd-refresh",
    attributes: "Path=/; HttpOnly; SameSite=Lax",
};

/// The cookies of one exchange.
pub(in crate::http) struct TokenCookies {
    names: CookieNames,
    auth_cookies: AuthCookies,
}

impl TokenCookies {
    /// Gives the visitor what the request's cookies hold, if they count.
    pub fn read(app: &App, uri: &Uri, headers: &HeaderMap, auth: &mut RequestAuth) -> Self {
        let RequestCookies { fetch_site, names, access, refresh } = RequestCookies::read(app, uri, headers);
        let auth_cookies = AuthCookies::new(fetch_site, access.is_some() || refresh.is_some(), refresh);
        auth.context.cookies = auth_cookies.clone();
        use_access_cookie(auth, fetch_site, access);
        Self { names, auth_cookies }
    }

    /// Adds to the answer what the client shall keep.
    pub fn apply(&self, headers: &mut HeaderMap) {
        let names = self.names;
        match self.auth_cookies.take_update() {
            None => {}
            Some(CookieUpdate::Clear) => {
                append_set_cookie(headers, names, names.access, None, 0);
                append_set_cookie(headers, names, names.refresh, None, 0);
            }
            Some(CookieUpdate::Set(kept)) => {
                // The access token's cookie outlives it, so that the server can say "expired" and the client refreshes;
                // without a cookie the client would read that nobody is signed in.
                append_set_cookie(headers, names, names.access, kept.access_token.as_ref(), kept.max_age_seconds);
                append_set_cookie(headers, names, names.refresh, Some(&kept.refresh_token), kept.max_age_seconds);
            }
        }
    }
}

/// What the cookies of a request hold.
struct RequestCookies {
    /// Which page has sent the request.
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
            access: find_cookie(headers, names.access),
            refresh: find_cookie(headers, names.refresh),
        }
    }
}

/// Gives a visitor who came without other credentials those of the access token's cookie, if it counts.
pub(in crate::http) fn apply_access_cookie(app: &App, uri: &Uri, headers: &HeaderMap, auth: &mut RequestAuth) {
    let cookies = RequestCookies::read(app, uri, headers);
    use_access_cookie(auth, cookies.fetch_site, cookies.access);
}

fn use_access_cookie(auth: &mut RequestAuth, fetch_site: FetchSite, access: Option<SecretString>) {
    // Clients that send a header of their own mean that one.
    if let (true, Credentials::None, Some(access)) = (fetch_site.is_trusted(), &auth.credentials, access) {
        auth.credentials = Credentials::Bearer(access);
    }
}

/// The value of the first cookie with this name, unless it is empty.
fn find_cookie(headers: &HeaderMap, name: &str) -> Option<SecretString> {
    let texts = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, value)| *found == name && !value.is_empty()).map(|(_, value)| value.into())
}

/// Has the browser keep `value` for so many seconds, or nothing.
fn append_set_cookie(
    headers: &mut HeaderMap,
    names: CookieNames,
    name: &str,
    value: Option<&SecretString>,
    seconds: i64,
) {
    let (value, seconds) = value.map_or(("", 0), |value| (value.expose_secret(), seconds));
    if name.len() + value.len() > MAX_COOKIE_BYTES {
        tracing::error!(name, bytes = value.len(), "a token is too long for a cookie: browsers will drop it");
    }
    if let Ok(mut cookie) = HeaderValue::from_str(&format!("{name}={value}; {}; Max-Age={seconds}", names.attributes)) {
        cookie.set_sensitive(true);
        headers.append(SET_COOKIE, cookie);
    }
}
