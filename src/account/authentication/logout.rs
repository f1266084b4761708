//! Logout: ends the current, the other or all sessions. To end the current one, expired credentials suffice.

use entity::session::{self, EndReason};
use entity::user;
use secrecy::SecretString;

use super::logout_authority::{
    Authority, NamedSession, StaleToken, authority, named_sessions, session_of_refresh_token,
};
use super::session_end::{ApiTokenSelection, EndedCounts, end, end_all_and_api_tokens};
use crate::account::api_token::token;
use crate::account::caller::api_token::ApiToken;
use crate::account::caller::auth_cookies::AuthCookies;
use crate::account::caller::requester::{Identity, Requester};
use crate::account::event::audit::AuditEvent;
use crate::account::event::audit_action::AuditAction;
use crate::account::names::id::SessionId;
use crate::account::session_lifetime::is_live;
use crate::app::App;
use crate::error::{Error, Result};
use crate::store::sessions;

/// Which sessions to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionScope {
    /// The session of the presented credentials.
    Current,
    /// All other sessions of the same user.
    Others,
    /// All sessions of the user.
    All,
}

impl SessionScope {
    /// Which API tokens to revoke: `revoke` says whether those created by the user are included. By default they are
    /// revoked with all sessions.
    pub fn api_tokens(self, revoke: Option<bool>) -> ApiTokenSelection {
        ApiTokenSelection::from_flag(revoke.unwrap_or(self == Self::All))
    }
}

/// The result of a logout.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogoutResult {
    /// Ended sessions and revoked API tokens.
    pub ended: EndedCounts,
    /// The refresh token was already rotated: only its own session ended, the other requested ones continue.
    pub is_partial: bool,
    /// The received cookies, if they are useless now.
    pub dead_cookies: Option<DeadCookies>,
}

/// Received cookies that no longer authenticate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadCookies {
    /// They name no session.
    Invalid,
    /// Their session has ended.
    OfSession(SessionId),
}

/// Ends sessions. An expired access token or a rotated refresh token can end its own session and no other. Invalid
/// credentials end nothing and are no error.
///
/// # Errors
/// [`Error::Unauthenticated`] if an expired access token is to end more than its own session. [`Error::Forbidden`] if
/// an API token is to end sessions. [`Error::CrossSite`] if cookies are the only credentials and the site is not
/// trusted.
pub async fn logout(
    app: &App,
    requester: &Requester,
    refresh_token: Option<&SecretString>,
    scope: SessionScope,
    api_tokens: ApiTokenSelection,
) -> Result<LogoutResult> {
    if let Some(token) = requester.identity.api_token_from_login()
        && scope == SessionScope::Current
        && refresh_token.is_none()
    {
        token::revoke(app, requester, token.id()).await?;
        return Ok(LogoutResult { ended: EndedCounts { sessions: 0, api_tokens: 1 }, ..LogoutResult::default() });
    }
    // An API token cannot end sessions, so the response must not claim that all ended.
    if let Identity::Authenticated(caller) = &requester.identity
        && caller.api_token().is_some()
        && scope != SessionScope::Current
        && refresh_token.is_none()
        && !requester.context.cookies.is_usable()
    {
        return Err(Error::Forbidden);
    }
    if refresh_token.is_none() && matches!(requester.identity, Identity::Anonymous) {
        requester.context.cookies.reject_unusable()?;
    }
    let ended = end_sessions(app, requester, refresh_token, scope, api_tokens).await?;
    Ok(LogoutResult { dead_cookies: dead_cookies(app, &requester.context.cookies, scope).await?, ..ended })
}

/// Ends the presented credential: the session, or the API token.
///
/// # Errors
/// Refuses unauthenticated callers.
pub async fn end_current_credential(app: &App, requester: &Requester) -> Result<()> {
    match requester.authenticated()?.api_token().map(ApiToken::id) {
        Some(id) => token::revoke(app, requester, id).await.map(drop),
        None => end_current_session(app, requester).await,
    }
}

/// Ends the session of the presented credentials.
///
/// # Errors
/// As [`logout`].
pub async fn end_current_session(app: &App, requester: &Requester) -> Result<()> {
    logout(app, requester, None, SessionScope::Current, ApiTokenSelection::FromLogin).await.map(drop)
}

async fn end_sessions(
    app: &App,
    requester: &Requester,
    refresh_token: Option<&SecretString>,
    scope: SessionScope,
    api_tokens: ApiTokenSelection,
) -> Result<LogoutResult> {
    let now = app.clock.now();
    let named = named_sessions(app, requester, refresh_token);
    if named.is_empty() {
        return Ok(LogoutResult::default());
    }
    // Ending more than the own session requires a current credential.
    let is_own = scope == SessionScope::Current && api_tokens == ApiTokenSelection::FromLogin;
    app.write(&requester.context, now, async |tx| {
        let Some(Authority { session, user, stale }) = authority(app, &tx, &named, is_own, now).await? else {
            return Ok(tx.roll_back(LogoutResult::default()));
        };
        let is_live = is_live(&session, now);
        let (only, reason) = (std::slice::from_ref(&session), EndReason::Logout);
        let mut done = LogoutResult::default();
        match stale {
            _ if is_own => done.ended.sessions = end(&tx, &user, only, reason, now).await?,
            // Only a live session has authority over other sessions.
            _ if !is_live => {}
            Some(StaleToken::AccessToken(error)) => return Err(Error::Unauthenticated(error)),
            Some(StaleToken::RefreshToken) => {
                done.ended.sessions = end(&tx, &user, only, reason, now).await?;
                done.is_partial = true;
            }
            None => {
                let except = (scope == SessionScope::Others).then_some(session.id);
                done.ended = match scope {
                    SessionScope::Current => EndedCounts {
                        sessions: end(&tx, &user, only, reason, now).await?,
                        api_tokens: api_tokens.revoke(&tx, &user, now).await?,
                    },
                    SessionScope::Others | SessionScope::All => {
                        end_all_and_api_tokens(&tx, &user, except, api_tokens, reason, now).await?
                    }
                };
            }
        }
        if done.ended != EndedCounts::default() {
            let event = logout_event(&user, &session, done.ended);
            tx.record(event).await?;
        }
        tx.commit(done).await
    })
    .await
}

fn logout_event(user: &user::Model, session: &session::Model, ended: EndedCounts) -> AuditEvent {
    let event = AuditEvent::success(AuditAction::Logout)
        .by_user(user)
        .on_user(user)
        .in_session(session)
        .with("ended", ended.sessions);
    match ended.api_tokens {
        0 => event,
        count => event.with("apiTokens", count),
    }
}

/// Whether the received cookies are of a session that is not live, such as the one just ended.
async fn dead_cookies(app: &App, cookies: &AuthCookies, scope: SessionScope) -> Result<Option<DeadCookies>> {
    if !cookies.is_usable() {
        return Ok(None);
    }
    let Some(NamedSession { session: id, .. }) =
        cookies.refresh_token().and_then(|token| session_of_refresh_token(app, token))
    else {
        return Ok((scope != SessionScope::Others).then_some(DeadCookies::Invalid));
    };
    let found = sessions::find(app.db.reader(), id.uuid()).await?;
    let is_live = found.is_some_and(|session| is_live(&session, app.clock.now()));
    Ok((!is_live).then_some(DeadCookies::OfSession(id)))
}
