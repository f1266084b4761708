//! Cookies: tokens that browsers keep out of the reach of scripts.
//!
//! A token is made of letters, digits, `-`, `_` and dots, so it needs none of the encodings that cookie crates bring,
//! and two names need no jar: reading and writing are one expression each.

use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, Uri};
use secrecy::{ExposeSecret, SecretString};

use super::origin::Origin;
use crate::account::requester::jar::{Change, Jar, Page};
use crate::account::requester::{Credentials, Visitor};
use crate::app::App;

/// Browsers keep name and value of a cookie up to this many bytes (RFC 6265 section 6.1).
const MAX_BYTES: usize = 4_096;

/// The two cookies by the names they have in one place.
#[derive(Clone, Copy)]
struct Names {
    access: &'static str,
    refresh: &'static str,
    /// What their `Set-Cookie` says beside value and life.
    attributes: &'static str,
}

/// Browsers take the prefix only from https, with these attributes and without `Domain`: no other host of the domain
/// can set or read them (RFC 6265bis section 4.1.3.2).
const HOST_ONLY: Names = Names {
    access: "__Host-accountd-access",
    refresh: "__Host-accountd-refresh",
    attributes: "Path=/; Secure; HttpOnly; SameSite=Lax",
};

/// For development on one machine by plain http, where Safari keeps no `Secure` cookies.
const PLAIN: Names =
    Names { access: "accountd-access", refresh: "accountd-refresh", attributes: "Path=/; HttpOnly; SameSite=Lax" };

/// The cookies of one exchange.
pub(super) struct Cookies {
    names: Names,
    jar: Jar,
}

impl Cookies {
    /// Gives the visitor what the request's cookies hold, if they count.
    pub fn of(app: &App, uri: &Uri, headers: &HeaderMap, visitor: &mut Visitor) -> Self {
        let Sent { page, names, access, refresh } = Sent::with(app, uri, headers);
        let jar = Jar::new(page, access.is_some() || refresh.is_some(), refresh);
        visitor.client.jar = jar.clone();
        take(visitor, page, access);
        Self { names, jar }
    }

    /// Adds to the answer what the client shall keep.
    pub fn tell(&self, headers: &mut HeaderMap) {
        let names = self.names;
        match self.jar.take_change() {
            None => {}
            Some(Change::Forget) => {
                set(headers, names, names.access, None, 0);
                set(headers, names, names.refresh, None, 0);
            }
            Some(Change::Keep(kept)) => {
                // The access token's cookie outlives it, so that the server can say "expired" and the client refreshes;
                // without a cookie the client would read that nobody is signed in.
                set(headers, names, names.access, kept.access_token.as_ref(), kept.seconds);
                set(headers, names, names.refresh, Some(&kept.refresh_token), kept.seconds);
            }
        }
    }
}

/// What the cookies of a request hold.
struct Sent {
    /// Which page has sent the request.
    page: Page,
    names: Names,
    access: Option<SecretString>,
    refresh: Option<SecretString>,
}

impl Sent {
    fn with(app: &App, uri: &Uri, headers: &HeaderMap) -> Self {
        let origin = Origin::new(uri, headers);
        let names = if origin.is_plain_loopback() { PLAIN } else { HOST_ONLY };
        let page = origin.page(&app.config.browser);
        Self { page, names, access: find(headers, names.access), refresh: find(headers, names.refresh) }
    }
}

/// Gives a visitor who came without other credentials those of the access token's cookie, if it counts.
pub(super) fn lend(app: &App, uri: &Uri, headers: &HeaderMap, visitor: &mut Visitor) {
    let sent = Sent::with(app, uri, headers);
    take(visitor, sent.page, sent.access);
}

fn take(visitor: &mut Visitor, page: Page, access: Option<SecretString>) {
    // Clients that send a header of their own mean that one.
    if let (true, Credentials::None, Some(access)) = (page.is_ours(), &visitor.credentials, access) {
        visitor.credentials = Credentials::Bearer(access);
    }
}

/// The value of the first cookie with this name, unless it is empty.
fn find(headers: &HeaderMap, name: &str) -> Option<SecretString> {
    let texts = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, value)| *found == name && !value.is_empty()).map(|(_, value)| value.into())
}

/// Has the browser keep `value` for so many seconds, or nothing.
fn set(headers: &mut HeaderMap, names: Names, name: &str, value: Option<&SecretString>, seconds: i64) {
    let (value, seconds) = value.map_or(("", 0), |value| (value.expose_secret(), seconds));
    if name.len() + value.len() > MAX_BYTES {
        tracing::error!(name, bytes = value.len(), "a token is too long for a cookie: browsers will drop it");
    }
    if let Ok(mut cookie) = HeaderValue::from_str(&format!("{name}={value}; {}; Max-Age={seconds}", names.attributes)) {
        cookie.set_sensitive(true);
        headers.append(SET_COOKIE, cookie);
    }
}
