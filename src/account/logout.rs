//! Logout: ends this session, the others, or all; never fails on stale credentials.

use chrono::{DateTime, Utc};
use entity::session::{self, EndReason};
use entity::user;
use sea_orm::ConnectionTrait;
use secrecy::{ExposeSecret, SecretString};

use super::api_token::{self, ApiToken};
use super::audit::Event;
use super::id::SessionId;
use super::requester::jar::Jar;
use super::requester::{Identity, Requester};
use super::session::{end, end_all, is_live};
use super::tokens;
use super::transaction::Transaction;
use crate::app::App;
use crate::error::Result;
use crate::security::token::Verified;
use crate::store::{self, sessions};

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
/// refresh token alone, given or in a cookie; nothing usable ends nothing and is no failure. Cookies that open nothing
/// any more go.
///
/// # Errors
/// [`crate::error::Error::ForeignPage`] if all the proof are cookies, from a page that may not use them; internal ones.
pub async fn logout(
    app: &App,
    requester: &Requester,
    refresh_token: Option<&SecretString>,
    scope: Scope,
) -> Result<(usize, Option<user::Model>)> {
    if refresh_token.is_none() && matches!(requester.identity, Identity::Anonymous) {
        requester.client.jar.refuse_forged()?;
    }
    let done = end_named(app, requester, refresh_token, scope).await?;
    clean_up(app, &requester.client.jar, scope).await?;
    Ok(done)
}

/// Ends what the caller came with: the session, or the API token for good.
///
/// # Errors
/// Refuses callers who are not signed in.
pub async fn leave(app: &App, requester: &Requester) -> Result<()> {
    match requester.known()?.api_token().map(ApiToken::id) {
        Some(id) => api_token::revoke(app, requester, id).await.map(drop),
        None => logout(app, requester, None, Scope::Current).await.map(drop),
    }
}

async fn end_named(
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
    app.db
        .retry(|| async {
            let tx = Transaction::begin(app, now).await?;
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
                    .with("ended", count)
                    .record(&tx, app, &requester.client, now)
                    .await?;
            }
            tx.commit().await?;
            Ok((count, Some(user)))
        })
        .await
}

/// Has the client forget cookies of a session that does not live, the one that was just ended among them. Those of
/// another session, in which the browser may be by now, stay.
async fn clean_up(app: &App, jar: &Jar, scope: Scope) -> Result<()> {
    if !jar.counts() {
        return Ok(());
    }
    let Some(id) = jar.refresh_token().and_then(|token| session_of(app, token)) else {
        if scope != Scope::Others {
            jar.forget(None);
        }
        return Ok(());
    };
    let found = sessions::find(app.db.reader(), id.uuid()).await?;
    if !found.is_some_and(|session| is_live(&session, app.clock.now())) {
        jar.forget(Some(id.uuid()));
    }
    Ok(())
}

/// The session of a refresh token of ours, be its time over or not.
fn session_of(app: &App, refresh_token: &SecretString) -> Option<SessionId> {
    match tokens::verify_refresh(app, refresh_token.expose_secret(), app.clock.now()) {
        Ok(Verified::Valid(claims) | Verified::Expired(claims)) => claims.sid.parse().ok(),
        Err(_) => None,
    }
}

/// The sessions that the caller can prove to be in: by the refresh token, by the access token, and by the cookie, which
/// is asked last because it comes along unasked.
fn named_sessions(app: &App, requester: &Requester, refresh_token: Option<&SecretString>) -> Vec<SessionId> {
    let by_refresh = refresh_token.and_then(|token| session_of(app, token));
    let by_cookie = requester.client.jar.refresh_token().and_then(|token| session_of(app, token));
    let by_access = match &requester.identity {
        Identity::SignedIn(caller) => caller.session().map(|session| SessionId::from(session.uid)),
        Identity::Rejected { session, .. } => *session,
        Identity::Anonymous => None,
    };
    [by_refresh, by_access, by_cookie].into_iter().flatten().collect()
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
        match sessions::find_with_user(db, store::Scope::Installation, id.uuid()).await? {
            Some(found) if is_live(&found.0, now) => return Ok(Some(found)),
            found => first = first.or(found),
        }
    }
    Ok(first)
}
