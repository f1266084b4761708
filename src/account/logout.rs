//! Logout: ends this session, the others, or all; never fails on stale credentials.

use chrono::{DateTime, Utc};
use entity::session::{self, EndReason};
use entity::user;
use sea_orm::ConnectionTrait;
use secrecy::{ExposeSecret, SecretString};

use super::audit::Event;
use super::id::SessionId;
use super::requester::{Identity, Requester};
use super::session::{end, end_all, is_live};
use super::tokens;
use crate::app::App;
use crate::error::Result;
use crate::security::token::Verified;
use crate::store::sessions;

/// Which sessions to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The one the credentials belong to.
    Current,
    /// All others of the same user.
    Others,
    /// All of the user.
    All,
}

/// Ends sessions; tells how many were ended, and whose they were. An expired access token is enough, and so is a
/// refresh token alone; nothing usable ends nothing and is no failure.
///
/// # Errors
/// Internal ones only.
pub async fn logout(
    app: &App,
    requester: &Requester,
    refresh_token: Option<&SecretString>,
    scope: Scope,
) -> Result<(usize, Option<user::Model>)> {
    let now = app.clock.now();
    let named = named_sessions(app, requester, refresh_token);
    if named.is_empty() {
        return Ok((0, None));
    }
    let tx = app.db.begin().await?;
    let Some((session, user)) = current(&tx, &named, now).await? else { return Ok((0, None)) };
    let count = match scope {
        Scope::Current => end(&tx, &user, std::slice::from_ref(&session), EndReason::Logout, now).await?,
        // The others are ended in the name of the session: one that is over itself has no say.
        Scope::Others | Scope::All if !is_live(&session, now) => 0,
        Scope::Others => end_all(&tx, &user, Some(session.id), EndReason::Logout, now).await?,
        Scope::All => end_all(&tx, &user, None, EndReason::Logout, now).await?,
    };
    if count > 0 {
        Event::success("logout")
            .by(&user)
            .to(&user)
            .within(&session)
            .with(serde_json::json!({ "ended": count }))
            .record(&tx, app, &requester.client, now)
            .await?;
    }
    tx.commit().await?;
    Ok((count, Some(user)))
}

/// The sessions that the caller can prove to be in: by the refresh token, and by the access token.
fn named_sessions(app: &App, requester: &Requester, refresh_token: Option<&SecretString>) -> Vec<SessionId> {
    let by_refresh =
        refresh_token.and_then(|token| match tokens::verify_refresh(app, token.expose_secret(), app.clock.now()) {
            Ok(Verified::Valid(claims) | Verified::Expired(claims)) => claims.sid.parse().ok(),
            Err(_) => None,
        });
    let by_access = match &requester.identity {
        Identity::SignedIn(caller) => Some(SessionId::from(caller.session.uid)),
        Identity::Rejected { session, .. } => *session,
        Identity::Anonymous => None,
    };
    [by_refresh, by_access].into_iter().flatten().collect()
}

/// The first of them that lives, or else the first. A client that kept a stale refresh token still leaves the session
/// of its access token: it was told that it is out.
async fn current(
    db: &impl ConnectionTrait,
    named: &[SessionId],
    now: DateTime<Utc>,
) -> Result<Option<(session::Model, user::Model)>> {
    let mut first = None;
    for id in named {
        match sessions::find_with_user(db, id.uuid()).await? {
            Some(found) if is_live(&found.0, now) => return Ok(Some(found)),
            found => first = first.or(found),
        }
    }
    Ok(first)
}
