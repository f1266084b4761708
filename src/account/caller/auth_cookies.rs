//! The cookies of one request: what came in them, whether they count, and what the client shall keep from now on.

use std::sync::{Arc, Mutex, PoisonError};

use entity::session::{self, Transport};
use secrecy::SecretString;
use uuid::Uuid;

use crate::account::authentication::tokens::TokenPair;
use crate::error::{Error, Result};

/// Which page has sent a request, as far as its browser tells. Programs and old browsers tell nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FetchSite {
    /// One that may use cookies.
    Same,
    /// One that may use cookies, of another site than the server: its browser drops each cookie that it is sent.
    TrustedCross,
    /// None, or nobody says.
    #[default]
    Unknown,
    /// Another one.
    Cross,
}

/// What a browser keeps of a session between requests. A browser sends cookies along with whatever any page asks of
/// it, so they count only for pages that are proven to be ours (OWASP CSRF Prevention Cheat Sheet).
#[derive(Debug, Clone, Default)]
pub struct AuthCookies {
    /// Which page has sent the request.
    fetch_site: FetchSite,
    /// Whether cookies of ours came, whatever is in them.
    is_present: bool,
    refresh_token: Option<SecretString>,
    update: Arc<Mutex<Option<CookieUpdate>>>,
}

/// What becomes of the client's cookies.
#[derive(Debug)]
pub enum CookieUpdate {
    /// They hold these tokens from now on, and nothing else.
    Set(CookieTokens),
    /// They go.
    Clear,
}

/// What a client keeps in cookies.
#[derive(Debug)]
pub struct CookieTokens {
    session: Uuid,
    /// Buys the next pair.
    pub refresh_token: SecretString,
    /// Opens the API, if the session's client keeps that in a cookie, too.
    pub access_token: Option<SecretString>,
    /// How long the session can be renewed, in seconds.
    pub max_age_seconds: i64,
}

impl FetchSite {
    /// Whether cookies that came count.
    pub fn is_trusted(self) -> bool {
        matches!(self, Self::Same | Self::TrustedCross)
    }

    /// Refuses to set cookies that no page of ours is proven to want, or that its browser would drop.
    ///
    /// # Errors
    /// [`Error::ForeignPage`], [`Error::OtherSite`].
    pub fn require_settable_cookies(self) -> Result<()> {
        match self {
            Self::Same => Ok(()),
            Self::TrustedCross => Err(Error::ThirdPartyCookies),
            Self::Unknown | Self::Cross => Err(Error::CrossSite),
        }
    }
}

impl AuthCookies {
    /// The cookies of a request: who sent them, whether any came, and the refresh token among them.
    pub fn new(fetch_site: FetchSite, is_present: bool, refresh_token: Option<SecretString>) -> Self {
        Self { fetch_site, is_present, refresh_token, update: Arc::default() }
    }

    /// Refuses to set cookies for a request that no page of ours has sent, or whose browser would drop them.
    pub(in crate::account) fn require_same_site(&self, transport: Transport) -> Result<()> {
        if transport == Transport::Body { Ok(()) } else { self.fetch_site.require_settable_cookies() }
    }

    /// Refuses requests with cookies that do not count.
    pub(in crate::account) fn reject_cross_site(&self) -> Result<()> {
        if self.fetch_site.is_trusted() || !self.is_present { Ok(()) } else { Err(Error::CrossSite) }
    }

    /// Whether cookies came, and count.
    pub(in crate::account) fn is_usable(&self) -> bool {
        self.fetch_site.is_trusted() && self.is_present
    }

    /// The refresh token, if cookies count.
    pub(in crate::account) fn refresh_token(&self) -> Option<&SecretString> {
        self.refresh_token.as_ref().filter(|_| self.fetch_site.is_trusted())
    }

    /// The client shall keep `tokens` in the way its session has chosen; in the body there is nothing to do.
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

    /// The client shall forget the cookies it came with, which opened `session`. What it has got since then of another
    /// session stays.
    pub(in crate::account) fn clear(&self, session: Option<Uuid>) {
        let mut change = self.update.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(&*change, Some(CookieUpdate::Set(kept)) if Some(kept.session) != session) {
            *change = Some(CookieUpdate::Clear);
        }
    }

    fn set_update(&self, change: CookieUpdate) {
        *self.update.lock().unwrap_or_else(PoisonError::into_inner) = Some(change);
    }

    /// What becomes of the client's cookies, to be told once.
    pub fn take_update(&self) -> Option<CookieUpdate> {
        self.update.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
