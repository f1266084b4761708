//! The session cookies that an HTTP response sets or clears, as its operations leave them.

use std::sync::Arc;

use entity::session::Transport;
use parking_lot::Mutex;
use secrecy::SecretString;

use crate::account::authentication::logout::DeadCookies;
use crate::account::authentication::session::IssuedSession;
use crate::account::caller::request_auth::{Credentials, RequestAuth};
use crate::account::caller::request_context::RequestContext;
use crate::account::caller::requester::Identity;
use crate::account::names::id::SessionId;
use crate::app::App;
use crate::error::Result;

/// Collects the cookies of one HTTP request: resolvers set and clear them, the endpoint takes the outcome. Clones share
/// it, so that it includes all operations of a batch.
#[derive(Debug, Clone, Default)]
pub struct ResponseCookies(Arc<Mutex<Option<CookieUpdate>>>);

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
    session: SessionId,
    /// An access token of the session, whatever its transport.
    bearer: SecretString,
    /// The refresh token.
    pub refresh_token: SecretString,
    /// The access token, if the session's transport puts it in a cookie, too.
    pub access_token: Option<SecretString>,
    /// Remaining lifetime of the session, in seconds.
    pub max_age_seconds: i64,
}

impl ResponseCookies {
    /// Stores the session's tokens in cookies according to its transport; `Body` stores nothing.
    pub(super) fn set(&self, IssuedSession { session, tokens, .. }: &IssuedSession) {
        let access_token = match session.transport {
            Transport::Body => return,
            Transport::RefreshCookie => None,
            Transport::Cookies => Some(tokens.access_token.clone()),
        };
        let tokens = CookieTokens {
            session: session.uid.into(),
            bearer: tokens.access_token.clone(),
            refresh_token: tokens.refresh_token.clone(),
            access_token,
            max_age_seconds: (tokens.refresh_expires_at - tokens.issued_at).num_seconds(),
        };
        *self.0.lock() = Some(CookieUpdate::Set(tokens));
    }

    /// Clears the cookies that the request sent. Cookies that another session has set since stay.
    pub(super) fn clear(&self, dead: DeadCookies) {
        let mut update = self.0.lock();
        let replaced = match &*update {
            Some(CookieUpdate::Set(tokens)) => dead != DeadCookies::OfSession(tokens.session),
            Some(CookieUpdate::Clear) | None => false,
        };
        if !replaced {
            *update = Some(CookieUpdate::Clear);
        }
    }

    /// Keeps the client's cookies if the session to set them for has ended meanwhile.
    pub(super) async fn drop_ended(&self, app: &App, context: &RequestContext) -> Result<()> {
        let bearer = match &*self.0.lock() {
            Some(CookieUpdate::Set(tokens)) => tokens.bearer.clone(),
            Some(CookieUpdate::Clear) | None => return Ok(()),
        };
        let auth = RequestAuth { credentials: Credentials::Bearer(bearer), context: context.clone() };
        if !matches!(auth.authenticate(app).await?.identity, Identity::Authenticated(_)) {
            *self.0.lock() = None;
        }
        Ok(())
    }

    /// Takes the update for the response.
    pub fn take(&self) -> Option<CookieUpdate> {
        self.0.lock().take()
    }
}
