//! The session in whose name a logout ends sessions.

use chrono::{DateTime, Utc};
use entity::{session, user};
use secrecy::{ExposeSecret, SecretString};

use super::refresh_decision;
use crate::account::caller::requester::{Identity, Requester};
use crate::account::names::id::SessionId;
use crate::account::session_lifetime::is_live;
use crate::account::tokens;
use crate::app::App;
use crate::error::{Result, TokenError};
use crate::security::jwt::Verified;
use crate::store::{self, Connection, sessions};

/// A session named by a presented token.
pub(super) struct NamedSession {
    /// The session.
    pub session: SessionId,
    token: PresentedToken,
}

/// How a session was named.
#[derive(Clone, Copy)]
enum PresentedToken {
    /// A valid access token.
    Access,
    /// An expired or replaced access token.
    ExpiredAccess(TokenError),
    /// An unexpired refresh token of this generation.
    Refresh(i32),
    /// An expired refresh token.
    ExpiredRefresh,
}

/// A token that is no longer current.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StaleToken {
    AccessToken(TokenError),
    RefreshToken,
}

/// The session and user that authorize a logout.
pub(super) struct Authority {
    /// The session.
    pub session: session::Model,
    /// Its user.
    pub user: user::Model,
    /// How the token is stale; a stale token ends its own session only.
    pub stale: Option<StaleToken>,
}

/// The session that a refresh token names, expired or not; `None` for an invalid token.
pub(super) fn session_of_refresh_token(app: &App, refresh_token: &SecretString) -> Option<NamedSession> {
    let (claims, is_expired) = match tokens::verify_refresh(app, refresh_token.expose_secret(), app.clock.now()) {
        Ok(Verified::Valid(claims)) => (claims, false),
        Ok(Verified::Expired(claims)) => (claims, true),
        Err(_) => return None,
    };
    let token = if is_expired { PresentedToken::ExpiredRefresh } else { PresentedToken::Refresh(claims.generation) };
    Some(NamedSession { session: claims.sid.parse().ok()?, token })
}

/// The sessions named by the refresh token, the access token and the cookie. The cookie comes last, because the browser
/// adds it without being asked.
pub(super) fn named_sessions(
    app: &App,
    requester: &Requester,
    refresh_token: Option<&SecretString>,
) -> Vec<NamedSession> {
    let by_refresh = refresh_token.and_then(|token| session_of_refresh_token(app, token));
    let by_cookie = requester.context.cookies.refresh_token().and_then(|token| session_of_refresh_token(app, token));
    let by_access = match &requester.identity {
        Identity::Authenticated(caller) => {
            caller.session().map(|session| NamedSession { session: session.uid.into(), token: PresentedToken::Access })
        }
        Identity::Rejected { error, session, .. } => {
            session.map(|session| NamedSession { session, token: PresentedToken::ExpiredAccess(*error) })
        }
        Identity::Anonymous => None,
    };
    [by_refresh, by_access, by_cookie].into_iter().flatten().collect()
}

/// The first named live session, or else the first one. If other sessions are to end, a current token takes precedence.
/// So a client with an old refresh token can still end the session of its access token.
pub(super) async fn authority(
    app: &App,
    db: &impl Connection,
    named: &[NamedSession],
    is_own: bool,
    now: DateTime<Utc>,
) -> Result<Option<Authority>> {
    let (mut first_stale, mut first_ended) = (None, None);
    for NamedSession { session: id, token } in named {
        let found = sessions::find_with_user(db, store::TenantScope::AllTenants, id.uuid()).await?;
        let Some((session, user)) = found else { continue };
        let stale = match token {
            PresentedToken::Access => None,
            PresentedToken::ExpiredAccess(error) => Some(StaleToken::AccessToken(*error)),
            PresentedToken::Refresh(generation) => {
                refresh_decision::is_reuse(app, &session, *generation, now).then_some(StaleToken::RefreshToken)
            }
            PresentedToken::ExpiredRefresh => Some(StaleToken::RefreshToken),
        };
        let is_live = is_live(&session, now);
        let authority = Authority { session, user, stale };
        if !is_live {
            first_ended = first_ended.or(Some(authority));
        } else if stale.is_some() && !is_own {
            first_stale = first_stale.or(Some(authority));
        } else {
            return Ok(Some(authority));
        }
    }
    Ok(first_stale.or(first_ended))
}
