//! The cookies of one request: what came in them, whether they count, and what the client shall keep from now on.

use std::sync::{Arc, Mutex, PoisonError};

use entity::session::{self, Transport};
use secrecy::SecretString;
use uuid::Uuid;

use crate::account::tokens::TokenPair;
use crate::error::{Error, Result};

/// Which page has sent a request, as far as its browser tells. Programs and old browsers tell nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Page {
    /// One that may use cookies.
    Ours,
    /// One that may use cookies, of another site than the server: its browser drops each cookie that it is sent.
    OtherSite,
    /// None, or nobody says.
    #[default]
    Unknown,
    /// Another one.
    Foreign,
}

/// What a browser keeps of a session between requests. A browser sends cookies along with whatever any page asks of
/// it, so they count only for pages that are proven to be ours (OWASP CSRF Prevention Cheat Sheet).
#[derive(Debug, Clone, Default)]
pub struct Jar {
    /// Which page has sent the request.
    page: Page,
    /// Whether cookies of ours came, whatever is in them.
    is_carried: bool,
    refresh_token: Option<SecretString>,
    change: Arc<Mutex<Option<Change>>>,
}

/// What becomes of the client's cookies.
#[derive(Debug)]
pub enum Change {
    /// They hold these tokens from now on, and nothing else.
    Keep(Kept),
    /// They go.
    Forget,
}

/// What a client keeps in cookies.
#[derive(Debug)]
pub struct Kept {
    session: Uuid,
    /// Buys the next pair.
    pub refresh_token: SecretString,
    /// Opens the API, if the session's client keeps that in a cookie, too.
    pub access_token: Option<SecretString>,
    /// How long the session can be renewed, in seconds.
    pub seconds: i64,
}

impl Page {
    /// Whether cookies that came count.
    pub fn is_ours(self) -> bool {
        matches!(self, Self::Ours | Self::OtherSite)
    }

    /// Refuses to set cookies that no page of ours is proven to want, or that its browser would drop.
    ///
    /// # Errors
    /// [`Error::ForeignPage`], [`Error::OtherSite`].
    pub fn require_cookies(self) -> Result<()> {
        match self {
            Self::Ours => Ok(()),
            Self::OtherSite => Err(Error::OtherSite),
            Self::Unknown | Self::Foreign => Err(Error::ForeignPage),
        }
    }
}

impl Jar {
    /// The cookies of a request: who sent them, whether any came, and the refresh token among them.
    pub fn new(page: Page, is_carried: bool, refresh_token: Option<SecretString>) -> Self {
        Self { page, is_carried, refresh_token, change: Arc::default() }
    }

    /// Refuses to set cookies for a request that no page of ours has sent, or whose browser would drop them.
    pub(in crate::account) fn require_proof(&self, transport: Transport) -> Result<()> {
        if transport == Transport::Body { Ok(()) } else { self.page.require_cookies() }
    }

    /// Refuses requests with cookies that do not count.
    pub(in crate::account) fn refuse_forged(&self) -> Result<()> {
        if self.page.is_ours() || !self.is_carried { Ok(()) } else { Err(Error::ForeignPage) }
    }

    /// Whether cookies came, and count.
    pub(in crate::account) fn counts(&self) -> bool {
        self.page.is_ours() && self.is_carried
    }

    /// The refresh token, if cookies count.
    pub(in crate::account) fn refresh_token(&self) -> Option<&SecretString> {
        self.refresh_token.as_ref().filter(|_| self.page.is_ours())
    }

    /// The client shall keep `tokens` in the way its session has chosen; in the body there is nothing to do.
    pub(in crate::account) fn keep(&self, session: &session::Model, tokens: &TokenPair) {
        let access_token = match session.transport {
            Transport::Body => return,
            Transport::RefreshCookie => None,
            Transport::Cookies => Some(tokens.access_token.clone()),
        };
        self.set(Change::Keep(Kept {
            session: session.uid,
            refresh_token: tokens.refresh_token.clone(),
            access_token,
            seconds: (tokens.refresh_expires_at - tokens.issued_at).num_seconds(),
        }));
    }

    /// The client shall forget the cookies it came with, which opened `session`. What it has got since then of another
    /// session stays.
    pub(in crate::account) fn forget(&self, session: Option<Uuid>) {
        let mut change = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(&*change, Some(Change::Keep(kept)) if Some(kept.session) != session) {
            *change = Some(Change::Forget);
        }
    }

    fn set(&self, change: Change) {
        *self.change.lock().unwrap_or_else(PoisonError::into_inner) = Some(change);
    }

    /// What becomes of the client's cookies, to be told once.
    pub fn take_change(&self) -> Option<Change> {
        self.change.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
