//! Authentication cookies of one request: received, trusted or not, and to be updated by the response.

use std::sync::Arc;

use entity::session::{self, Transport};
use parking_lot::Mutex;
use secrecy::SecretString;
use uuid::Uuid;

use crate::account::tokens::TokenPair;
use crate::error::{Error, Result};

/// The site that sent a request, as reported by the browser. Programs and old browsers report nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FetchSite {
    /// A trusted origin on the server's own site.
    Same,
    /// A trusted origin on another site: its browser drops every cookie that the server sets.
    TrustedCross,
    /// No page, or not reported.
    #[default]
    Unknown,
    /// An untrusted origin.
    Cross,
}

/// The session cookies of a request. Browsers attach cookies to requests from any page, so they count only for trusted
/// origins (OWASP CSRF Prevention Cheat Sheet).
#[derive(Debug, Clone, Default)]
pub struct AuthCookies {
    /// The site that sent the request.
    fetch_site: FetchSite,
    /// Whether the request has authentication cookies, valid or not.
    is_present: bool,
    refresh_token: Option<SecretString>,
    update: Arc<Mutex<Option<CookieUpdate>>>,
}

/// The update of the client's cookies by the response.
#[derive(Debug)]
pub enum CookieUpdate {
    /// Replace them by these tokens.
    Set(CookieTokens),
    /// Remove them.
    Clear,
}

/// The tokens to store in cookies.
#[derive(Debug)]
pub struct CookieTokens {
    session: Uuid,
    /// The refresh token.
    pub refresh_token: SecretString,
    /// The access token, if the session's transport puts it in a cookie, too.
    pub access_token: Option<SecretString>,
    /// Remaining lifetime of the session, in seconds.
    pub max_age_seconds: i64,
}

impl FetchSite {
    /// Whether received cookies count.
    pub fn is_trusted(self) -> bool {
        matches!(self, Self::Same | Self::TrustedCross)
    }

    /// Refuses to set cookies for an untrusted site, or for one whose browser would drop them.
    ///
    /// # Errors
    /// [`Error::CrossSite`], [`Error::ThirdPartyCookies`].
    pub fn require_settable_cookies(self) -> Result<()> {
        match self {
            Self::Same => Ok(()),
            Self::TrustedCross => Err(Error::ThirdPartyCookies),
            Self::Unknown | Self::Cross => Err(Error::CrossSite),
        }
    }
}

impl AuthCookies {
    /// The cookies of a request: its site, whether there are any, and the refresh token among them.
    pub fn new(fetch_site: FetchSite, is_present: bool, refresh_token: Option<SecretString>) -> Self {
        Self { fetch_site, is_present, refresh_token, update: Arc::default() }
    }

    /// Refuses to set cookies for an untrusted site, or for one whose browser would drop them.
    pub(in crate::account) fn require_same_site(&self, transport: Transport) -> Result<()> {
        if transport == Transport::Body { Ok(()) } else { self.fetch_site.require_settable_cookies() }
    }

    /// Rejects requests with cookies from an untrusted site.
    pub(in crate::account) fn reject_cross_site(&self) -> Result<()> {
        if self.fetch_site.is_trusted() || !self.is_present { Ok(()) } else { Err(Error::CrossSite) }
    }

    /// Whether there are cookies, from a trusted site.
    pub(in crate::account) fn is_usable(&self) -> bool {
        self.fetch_site.is_trusted() && self.is_present
    }

    /// The refresh token, if cookies count.
    pub(in crate::account) fn refresh_token(&self) -> Option<&SecretString> {
        self.refresh_token.as_ref().filter(|_| self.fetch_site.is_trusted())
    }

    /// Stores `tokens` in cookies according to the session's transport; `Body` stores nothing.
    pub(in crate::account) fn store(&self, session: &session::Model, tokens: &TokenPair) {
        let access_token = match session.transport {
            Transport::Body => return,
            Transport::RefreshCookie => None,
            Transport::Cookies => Some(tokens.access_token.clone()),
        };
        self.set_update(CookieUpdate::Set(CookieTokens {
            session: session.uid,
            refresh_token: tokens.refresh_token.clone(),
            access_token,
            max_age_seconds: (tokens.refresh_expires_at - tokens.issued_at).num_seconds(),
        }));
    }

    /// Clears the cookies of `session`. Cookies that another session has set since stay.
    pub(in crate::account) fn clear(&self, session: Option<Uuid>) {
        let mut update = self.update.lock();
        if !matches!(&*update, Some(CookieUpdate::Set(tokens)) if Some(tokens.session) != session) {
            *update = Some(CookieUpdate::Clear);
        }
    }

    fn set_update(&self, update: CookieUpdate) {
        *self.update.lock() = Some(update);
    }

    /// Takes the update for the response.
    pub fn take_update(&self) -> Option<CookieUpdate> {
        self.update.lock().take()
    }
}
