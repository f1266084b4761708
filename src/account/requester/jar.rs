//! The cookies of one request: what came in them, whether they count, and what the client shall keep from now on.

use std::sync::{Arc, Mutex, PoisonError};

use entity::session::{self, Transport};
use secrecy::SecretString;
use uuid::Uuid;

use crate::account::tokens::TokenPair;
use crate::error::{Error, Result};

/// Which page has sent a request, as far as its browser tells. Programs and old browsers tell nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// One that may use cookies.
    Ours,
    /// None, or nobody says.
    Unknown,
    /// Another one.
    Foreign,
}

/// What a browser keeps of a session between requests. A browser sends cookies along with whatever any page asks of
/// it, so they count only for pages that are proven to be ours (OWASP CSRF Prevention Cheat Sheet).
#[derive(Debug, Clone, Default)]
pub struct Jar {
    /// Whether a page that may use cookies has sent the request.
    is_ours: bool,
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

impl Jar {
    /// The cookies of a request: whether they count, whether any came, and the refresh token among them.
    pub fn new(is_ours: bool, is_carried: bool, refresh_token: Option<SecretString>) -> Self {
        Self { is_ours, is_carried, refresh_token, change: Arc::default() }
    }

    /// Refuses requests that no page of ours has sent.
    pub(in crate::account) fn require_proof(&self, transport: Transport) -> Result<()> {
        if self.is_ours || transport == Transport::Body { Ok(()) } else { Err(Error::ForeignPage) }
    }

    /// Refuses requests with cookies that do not count.
    pub(in crate::account) fn refuse_forged(&self) -> Result<()> {
        if self.is_ours || !self.is_carried { Ok(()) } else { Err(Error::ForeignPage) }
    }

    /// Whether cookies came, and count.
    pub(in crate::account) fn counts(&self) -> bool {
        self.is_ours && self.is_carried
    }

    /// The refresh token, if cookies count.
    pub(in crate::account) fn refresh_token(&self) -> Option<&SecretString> {
        self.refresh_token.as_ref().filter(|_| self.is_ours)
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
