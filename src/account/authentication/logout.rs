//! Logout: ends this session, the others, or all; never fails on stale credentials.

use chrono::{DateTime, Utc};
use entity::session::{self, EndReason};
use entity::user;
use sea_orm::ConnectionTrait;
use secrecy::{ExposeSecret, SecretString};

use super::session::{ApiTokenSelection, EndedCounts, end, end_all_and_api_tokens, is_live};
use super::{refresh, tokens};
use crate::account::api_token::token::{self, ApiToken};
use crate::account::caller::auth_cookies::AuthCookies;
use crate::account::caller::requester::{Identity, Requester};
use crate::account::event::audit::AuditEvent;
use crate::account::event::unit_of_work::UnitOfWork;
use crate::account::user::id::SessionId;
use crate::app::App;
use crate::error::{Error, Result, TokenError};
use crate::security::jwt::Verified;
use crate::store::{self, sessions};

/// Which sessions to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionScope {
    /// The one the credentials belong to.
    Current,
    /// All others of the same user.
    Others,
    /// All of the user.
    All,
}

impl SessionScope {
    /// Which API tokens end, if `revoke` says whether those that a person made do. Nothing said, all of them end with
    /// all sessions.
    pub fn api_tokens(self, revoke: Option<bool>) -> ApiTokenSelection {
        ApiTokenSelection::from_flag(revoke.unwrap_or(self == Self::All))
    }
}

/// What a logout ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogoutResult {
    /// Sessions and API tokens.
    pub ended: EndedCounts,
    /// The refresh token was replaced before: its own session ended, and the others that were asked for live on.
    pub is_partial: bool,
}

/// Ends sessions. The session of a spent credential, an access token that has expired or a refresh token that was
/// replaced, can end; no other session can end by it. Unusable credentials end nothing and are no failure. Cookies of
/// ended sessions are cleared.
///
/// # Errors
/// [`Error::Unauthenticated`] if an expired access token is to end more than its own session. [`Error::Forbidden`] if an
/// API token is to end sessions. [`Error::ForeignPage`]
/// if cookies are the only credentials and a page sent them that may not use them. Internal ones.
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
        return Ok(LogoutResult { ended: EndedCounts { sessions: 0, api_tokens: 1 }, is_partial: false });
    }
    // A token that cannot end sessions must not answer that all have ended.
    if let Identity::Authenticated(caller) = &requester.identity
        && caller.api_token().is_some()
        && scope != SessionScope::Current
        && refresh_token.is_none()
        && !requester.context.cookies.is_usable()
    {
        return Err(Error::Forbidden);
    }
    if refresh_token.is_none() && matches!(requester.identity, Identity::Anonymous) {
        requester.context.cookies.reject_cross_site()?;
    }
    let ended = end_sessions(app, requester, refresh_token, scope, api_tokens).await?;
    clear_dead_cookies(app, &requester.context.cookies, scope).await?;
    Ok(ended)
}

/// Ends what the caller came with: the session, or the API token for good.
///
/// # Errors
/// Refuses callers who are not signed in.
pub async fn end_current_credential(app: &App, requester: &Requester) -> Result<()> {
    match requester.authenticated()?.api_token().map(ApiToken::id) {
        Some(id) => token::revoke(app, requester, id).await.map(drop),
        None => end_current_session(app, requester).await,
    }
}

/// Ends the session that the caller's credentials name.
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
    // Whatever is more than the session itself takes a credential that is not spent.
    let is_own = scope == SessionScope::Current && api_tokens == ApiTokenSelection::FromLogin;
    app.db
        .retry(|| async {
            let tx = UnitOfWork::begin(app, now).await?;
            let Some(Authority { session, user, stale }) = authority(app, &tx, &named, is_own, now).await? else {
                return Ok(LogoutResult::default());
            };
            let is_live = is_live(&session, now);
            let (only, reason) = (std::slice::from_ref(&session), EndReason::Logout);
            let mut done = LogoutResult::default();
            match stale {
                _ if is_own => done.ended.sessions = end(&tx, &user, only, reason, now).await?,
                // Others end in the name of a live session: a session that is over ends none.
                _ if !is_live => {}
                Some(StaleToken::AccessToken(fault)) => return Err(Error::Unauthenticated(fault)),
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
                let event = AuditEvent::success("logout")
                    .by_user(&user)
                    .on_user(&user)
                    .in_session(&session)
                    .with("ended", done.ended.sessions);
                let event = match done.ended.api_tokens {
                    0 => event,
                    count => event.with("apiTokens", count),
                };
                event.record(&tx, app, &requester.context, now).await?;
            }
            tx.commit().await?;
            Ok(done)
        })
        .await
}

/// Has the client forget cookies of a session that does not live, the one that was just ended among them. Those of
/// another session, in which the browser may be by now, stay.
async fn clear_dead_cookies(app: &App, jar: &AuthCookies, scope: SessionScope) -> Result<()> {
    if !jar.is_usable() {
        return Ok(());
    }
    let Some(NamedSession { session: id, .. }) =
        jar.refresh_token().and_then(|token| session_of_refresh_token(app, token))
    else {
        if scope != SessionScope::Others {
            jar.clear(None);
        }
        return Ok(());
    };
    let found = sessions::find(app.db.reader(), id.uuid()).await?;
    if !found.is_some_and(|session| is_live(&session, app.clock.now())) {
        jar.clear(Some(id.uuid()));
    }
    Ok(())
}

/// A session that a credential names.
struct NamedSession {
    session: SessionId,
    token: PresentedToken,
}

/// By what a session is named.
#[derive(Clone, Copy)]
enum PresentedToken {
    /// An access token that is valid.
    Access,
    /// An access token that was valid once.
    ExpiredAccess(TokenError),
    /// A refresh token of this generation that has not expired.
    Refresh(i32),
    /// A refresh token that has expired.
    ExpiredRefresh,
}

/// A credential that was valid once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StaleToken {
    AccessToken(TokenError),
    RefreshToken,
}

/// In whose name a logout ends sessions.
struct Authority {
    session: session::Model,
    user: user::Model,
    /// How the credential is spent; such a credential ends its own session only.
    stale: Option<StaleToken>,
}

fn session_of_refresh_token(app: &App, refresh_token: &SecretString) -> Option<NamedSession> {
    let (claims, is_expired) = match tokens::verify_refresh(app, refresh_token.expose_secret(), app.clock.now()) {
        Ok(Verified::Valid(claims)) => (claims, false),
        Ok(Verified::Expired(claims)) => (claims, true),
        Err(_) => return None,
    };
    let token = if is_expired { PresentedToken::ExpiredRefresh } else { PresentedToken::Refresh(claims.generation) };
    Some(NamedSession { session: claims.sid.parse().ok()?, token })
}

/// The sessions that the caller's credentials name: the refresh token, the access token, and the cookie, which is last
/// because the browser adds it unasked.
fn named_sessions(app: &App, requester: &Requester, refresh_token: Option<&SecretString>) -> Vec<NamedSession> {
    let by_refresh = refresh_token.and_then(|token| session_of_refresh_token(app, token));
    let by_cookie = requester.context.cookies.refresh_token().and_then(|token| session_of_refresh_token(app, token));
    let by_access = match &requester.identity {
        Identity::Authenticated(caller) => {
            caller.session().map(|session| NamedSession { session: session.uid.into(), token: PresentedToken::Access })
        }
        Identity::Rejected { error: fault, session, .. } => {
            session.map(|session| NamedSession { session, token: PresentedToken::ExpiredAccess(*fault) })
        }
        Identity::Anonymous => None,
    };
    [by_refresh, by_access, by_cookie].into_iter().flatten().collect()
}

/// The first named session that lives, or else the first. Where other sessions are to end, a credential that is not
/// spent comes first. A client with an old refresh token still leaves the session of its access token.
async fn authority(
    app: &App,
    db: &impl ConnectionTrait,
    named: &[NamedSession],
    is_own: bool,
    now: DateTime<Utc>,
) -> Result<Option<Authority>> {
    let (mut first_spent, mut first_ended) = (None, None);
    for NamedSession { session: id, token } in named {
        let found = sessions::find_with_user(db, store::TenantScope::AllTenants, id.uuid()).await?;
        let Some((session, user)) = found else { continue };
        let stale = match token {
            PresentedToken::Access => None,
            PresentedToken::ExpiredAccess(fault) => Some(StaleToken::AccessToken(*fault)),
            PresentedToken::Refresh(generation) => {
                refresh::is_reuse(app, &session, *generation, now).then_some(StaleToken::RefreshToken)
            }
            PresentedToken::ExpiredRefresh => Some(StaleToken::RefreshToken),
        };
        let is_live = is_live(&session, now);
        let authority = Authority { session, user, stale };
        if !is_live {
            first_ended = first_ended.or(Some(authority));
        } else if stale.is_some() && !is_own {
            first_spent = first_spent.or(Some(authority));
        } else {
            return Ok(Some(authority));
        }
    }
    Ok(first_spent.or(first_ended))
}
