//! Refresh: the next pair of tokens, in a way that a lost answer or a second tab cannot lose (RFC 9700 section 4.14.2).

use chrono::{DateTime, Utc};
use entity::session::{self, EndReason};
use entity::user;
use sea_orm::ConnectionTrait;
use secrecy::{ExposeSecret, SecretString};

use super::audit::Event;
use super::id::{SessionId, UserId};
use super::requester::Client;
use super::session::{SignIn, end, is_live};
use super::{role, tokens};
use crate::app::App;
use crate::error::{Error, Refusal, RefusalCode, Result, TokenFault};
use crate::security::token::{LEEWAY, RefreshClaims, Verified};
use crate::store::revoked_tokens::{self, Revocation};
use crate::store::sessions;

/// How the server read a refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The session moved on; the pair is new.
    Rotated,
    /// It had moved on already, and this caller may not have got the answer: the same pair again.
    Replayed,
}

/// What becomes of the access token of the generation that a refresh leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Predecessor {
    /// It lives until it expires, so that requests under way are not refused.
    Keep,
    /// It is refused from now on.
    Revoke,
}

/// What a session does with a refresh token of some generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Rotate,
    Replay,
    Reuse,
}

/// How often a lost race is run again; each lost race means that another caller moved the session on.
const ATTEMPTS: usize = 3;

/// Renews the session that `refresh_token` belongs to. Anybody who has it may; an access token is not looked at.
///
/// # Errors
/// Refusals with [`RefusalCode::RefreshTokenMissing`], [`RefusalCode::RefreshTokenInvalid`],
/// [`RefusalCode::SessionEnded`], or [`RefusalCode::RefreshTokenReused`] — then the session was ended, and that is
/// committed although the answer is an error.
pub async fn refresh(
    app: &App,
    client: &Client,
    refresh_token: Option<&SecretString>,
    predecessor: Predecessor,
) -> Result<(SignIn, Outcome)> {
    let Some(refresh_token) = refresh_token else {
        return Err(refusal(RefusalCode::RefreshTokenMissing, "no refresh token was sent: sign in"));
    };
    let now = app.clock.now();
    let claims = claims(app, refresh_token, now)?;
    for _ in 0..ATTEMPTS {
        if let Some(renewed) = attempt(app, client, &claims, predecessor, now).await? {
            return Ok(renewed);
        }
    }
    Err(Error::internal("a session was rotated by others again and again"))
}

/// The claims of a refresh token that counts at `now`.
fn claims(app: &App, token: &SecretString, now: DateTime<Utc>) -> Result<RefreshClaims> {
    match tokens::verify_refresh(app, token.expose_secret(), now) {
        Ok(Verified::Valid(claims)) => Ok(claims),
        Ok(Verified::Expired(_)) => Err(ended()),
        Err(fault) => Err(invalid(fault)),
    }
}

async fn attempt(
    app: &App,
    client: &Client,
    claims: &RefreshClaims,
    predecessor: Predecessor,
    now: DateTime<Utc>,
) -> Result<Option<(SignIn, Outcome)>> {
    let (Ok(session_id), Ok(user_id)) = (claims.sid.parse::<SessionId>(), claims.sub.parse::<UserId>()) else {
        return Err(invalid(TokenFault::Invalid));
    };
    let tx = app.db.begin().await?;
    let found = sessions::find_with_user(&tx, session_id.uuid()).await?;
    let Some((session, user)) = found.filter(|(_, user)| user.uid == user_id.uuid()) else {
        return Err(ended());
    };
    if !is_live(&session, now) || user.status != user::Status::Active {
        return Err(ended());
    }
    let outcome = match read(app, &session, claims.generation, now) {
        Reading::Rotate => {
            let idle_end_at = (now + app.config.token.refresh_idle).min(session.absolute_end_at.utc());
            if !sessions::update_generation(&tx, &session, idle_end_at, now).await? {
                return Ok(None);
            }
            Outcome::Rotated
        }
        Reading::Replay => Outcome::Replayed,
        Reading::Reuse => {
            end(&tx, &user, std::slice::from_ref(&session), EndReason::RefreshTokenReused, now).await?;
            Event::failed("refresh.reuse").to(&user).within(&session).record(&tx, app, client, now).await?;
            tx.commit().await?;
            return Err(reused());
        }
    };
    if predecessor == Predecessor::Revoke {
        revoke_access(&tx, app, &user, tokens::jti(session_id, claims.generation), now).await?;
    }
    let Some((session, user)) = sessions::find_with_user(&tx, session_id.uuid()).await? else {
        return Err(ended());
    };
    let access = role::access_of(&tx, user.id).await?;
    tx.commit().await?;
    let tokens = tokens::pair(app, &user, &access.roles, &session, now)?;
    Ok(Some((SignIn { user, session, access, tokens }, outcome)))
}

/// Lists the access token `token_id`, which was issued at `now` or before, as revoked for as long as it could live.
async fn revoke_access(
    tx: &impl ConnectionTrait,
    app: &App,
    user: &user::Model,
    token_id: String,
    now: DateTime<Utc>,
) -> Result<()> {
    let until = now + app.config.token.access_lifetime + LEEWAY;
    let revocation = Revocation { token_id, user_uid: user.uid, until, reason: "REPLACED" };
    revoked_tokens::insert(tx, vec![revocation], now).await
}

/// The predecessor is served again until its successor is known to have arrived, and for a short while after that,
/// because other tabs may still be under way with it. Whatever else comes is a copy in the wrong hands.
fn read(app: &App, session: &session::Model, generation: i32, now: DateTime<Utc>) -> Reading {
    if generation == session.generation {
        return Reading::Rotate;
    }
    let arrived = session.receipt >= session.generation;
    let just_rotated = now - session.rotated_at.utc() < app.config.token.replay_window;
    if generation == session.generation - 1 && (!arrived || just_rotated) { Reading::Replay } else { Reading::Reuse }
}

fn refusal(code: RefusalCode, message: &str) -> Error {
    Refusal::new(code, message).on("refreshToken").into()
}

fn invalid(fault: TokenFault) -> Error {
    let message = match fault {
        TokenFault::Malformed => "this is no refresh token: sign in",
        _ => "the refresh token is not valid: sign in",
    };
    refusal(RefusalCode::RefreshTokenInvalid, message)
}

fn ended() -> Error {
    refusal(RefusalCode::SessionEnded, "the session has ended: sign in")
}

fn reused() -> Error {
    refusal(RefusalCode::RefreshTokenReused, "this refresh token was replaced long ago; the session was ended: sign in")
}
