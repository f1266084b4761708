//! Refresh-token rotation that tolerates lost responses and parallel tabs (RFC 9700 section 4.14.2).

use chrono::{DateTime, Utc};
use entity::session::{self, EndReason};
use entity::user;
use secrecy::{ExposeSecret, SecretString};

use super::refresh_decision::{Decision, OldAccessToken, RotationMode, decide};
use super::session::IssuedSession;
use super::session_end::end;
use crate::account::access::grants;
use crate::account::caller::request_context::RequestContext;
use crate::account::caller::requester::Requester;
use crate::account::event::audit::AuditEvent;
use crate::account::event::audit_action::AuditAction;
use crate::account::event::revocation::revoke_generations;
use crate::account::event::unit_of_work::UnitOfWork;
use crate::account::names::id::{SessionId, UserId};
use crate::account::session_lifetime::is_live;
use crate::account::tokens;
use crate::app::App;
use crate::error::{Error, Refusal, RefusalCode, Result, TokenError};
use crate::limits::key::RateLimitKey;
use crate::security::jwt::{RefreshClaims, Verified};
use crate::store::sessions::{self, Rotation, SessionWithGrants};
use crate::store::users;

/// The outcome of a refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RotationOutcome {
    /// The session rotated; the token pair is new.
    Rotated,
    /// The session kept its generation: the same refresh token again, with a new access token.
    Replayed,
}

/// How often a lost race is retried; each one means that a concurrent caller rotated the session.
const MAX_RETRIES: usize = 3;

/// Refreshes the session of `refresh_token`, or of the cookie if it is absent. Anyone who holds the token may; the
/// access token is ignored. The new pair uses the session's transport. A refusal keeps the cookies: another tab may
/// have newer ones by now.
///
/// # Errors
/// Refusals with [`RefusalCode::RefreshTokenMissing`], [`RefusalCode::RefreshTokenInvalid`],
/// [`RefusalCode::SessionEnded`], or [`RefusalCode::RefreshTokenReused`]. The last one ends the session, committed
/// despite the error. [`Error::CrossSite`] if an untrusted site uses or would receive cookies.
pub async fn refresh(
    app: &App,
    context: &RequestContext,
    refresh_token: Option<&SecretString>,
    mode: RotationMode,
) -> Result<(IssuedSession, RotationOutcome)> {
    if refresh_token.is_none() {
        context.cookies.reject_unusable()?;
    }
    let Some(refresh_token) = refresh_token.or(context.cookies.refresh_token()) else {
        return Err(refusal(RefusalCode::RefreshTokenMissing, "no refresh token was sent: sign in"));
    };
    let now = app.clock.now();
    let claims = verified_claims(app, refresh_token, now)?;
    if mode == RotationMode::Rotate(OldAccessToken::Keep)
        && let Some(renewed) = rotate(app, context, &claims, now).await?
    {
        return Ok((renewed, RotationOutcome::Rotated));
    }
    for _ in 0..MAX_RETRIES {
        let attempt = app.write(context, now, async |tx| {
            let attempt = refresh_in_transaction(&tx, app, context, &claims, mode, now).await?;
            tx.commit(attempt).await
        });
        match attempt.await? {
            Attempt::Refreshed(renewed, outcome) => return Ok((*renewed, outcome)),
            Attempt::Reused => return Err(reused()),
            Attempt::Lost => {}
        }
    }
    Err(Error::internal("refresh lost the race 3 times: concurrent rotation of one session"))
}

/// As [`refresh`], restricted to the caller's own session; for legacy clients, which send an access token along. A
/// required password change is no error here.
///
/// # Errors
/// As [`refresh`]; [`Error::Unauthenticated`] without valid credentials; [`Error::Forbidden`] for another user's
/// session.
pub async fn refresh_own(
    app: &App,
    requester: &Requester,
    refresh_token: &SecretString,
    mode: RotationMode,
) -> Result<(IssuedSession, RotationOutcome)> {
    let caller = requester.authenticated()?;
    let claims = verified_claims(app, refresh_token, app.clock.now())?;
    if claims.sub != UserId::from(caller.user.uid).to_string() {
        return Err(Error::Forbidden);
    }
    refresh(app, &requester.context, Some(refresh_token), mode).await
}

/// Verifies the refresh token at `now` and returns its claims.
fn verified_claims(app: &App, token: &SecretString, now: DateTime<Utc>) -> Result<RefreshClaims> {
    match tokens::verify_refresh(app, token.expose_secret(), now) {
        Ok(Verified::Valid(claims)) => Ok(claims),
        Ok(Verified::Expired(_)) => Err(ended()),
        Err(error) => Err(invalid(error)),
    }
}

/// The common case without a transaction: one conditional statement rotates the session, so that other writers do not
/// wait for reads. Returns `None` in other cases and after a concurrent change.
async fn rotate(
    app: &App,
    context: &RequestContext,
    claims: &RefreshClaims,
    now: DateTime<Utc>,
) -> Result<Option<IssuedSession>> {
    let (Ok(session_id), Ok(user_id)) = (claims.sid.parse::<SessionId>(), claims.sub.parse::<UserId>()) else {
        return Ok(None);
    };
    let found = sessions::find_with_grants(app.db.reader(), session_id.uuid()).await?;
    let Some(SessionWithGrants { session, user, grants }) = found else { return Ok(None) };
    let is_usable = is_live(&session, now) && user.is_active();
    if !is_usable || user.uid != user_id.uuid() || session.generation != claims.generation {
        return Ok(None);
    }
    context.cookies.require_settable(session.transport)?;
    // The statement checks the user's version, so it detects changed roles.
    let access = grants::access_from_grants(grants);
    let step = rotation_step(app, &user, &session, now);
    app.db.check_sqlite_file()?;
    let moved = app.db.retry(|| sessions::rotate(app.db.writer(), &session, &user, step)).await?;
    let Some(session) = moved else { return Ok(None) };
    app.identity_cache.invalidate(user.id);
    let tokens = tokens::issue_pair(app, &user, &access.roles, &session, now)?;
    Ok(Some(IssuedSession { user, session, access, tokens }))
}

/// The row update of a rotation.
fn rotation_step(app: &App, user: &user::Model, session: &session::Model, now: DateTime<Utc>) -> Rotation {
    let idle_end_at = (now + app.config.token.refresh_idle).min(session.absolute_end_at.utc());
    Rotation { issued_at: tokens::issue_time(user, now), idle_end_at, now }
}

/// The result of one attempt, whose changes are committed.
enum Attempt {
    /// The session continues.
    Refreshed(Box<IssuedSession>, RotationOutcome),
    /// The session ended: the refresh token had been used before.
    Reused,
    /// A concurrent refresh came first.
    Lost,
}

async fn refresh_in_transaction(
    tx: &UnitOfWork<'_>,
    app: &App,
    context: &RequestContext,
    claims: &RefreshClaims,
    mode: RotationMode,
    now: DateTime<Utc>,
) -> Result<Attempt> {
    let (Ok(session_id), Ok(user_id)) = (claims.sid.parse::<SessionId>(), claims.sub.parse::<UserId>()) else {
        return Err(invalid(TokenError::Invalid));
    };
    // Locks what the token states until the transaction ends.
    let Some(user) = users::lock_by_uid(tx, user_id.uuid()).await? else { return Err(ended()) };
    let found = sessions::find(tx, session_id.uuid()).await?;
    let Some(session) = found.filter(|session| session.user_id == user.id) else { return Err(ended()) };
    if !is_live(&session, now) || !user.is_active() {
        return Err(ended());
    }
    let decision = decide(&session, claims.generation, &app.config.token, now);
    if decision != Decision::Reuse {
        context.cookies.require_settable(session.transport)?;
    }
    let outcome = match decision {
        // Without a new generation, the response repeats the current refresh token, as a replay does.
        Decision::Rotate if mode.keeps_generation(&session, now) => RotationOutcome::Replayed,
        Decision::Rotate => {
            let rotation = rotation_step(app, &user, &session, now);
            if sessions::update_generation(tx, &session, rotation).await?.is_none() {
                return Ok(Attempt::Lost);
            }
            RotationOutcome::Rotated
        }
        Decision::Replay => {
            record_replay(tx, app, context, &user, &session, now).await?;
            RotationOutcome::Replayed
        }
        Decision::Reuse => {
            end(tx, &user, std::slice::from_ref(&session), EndReason::RefreshTokenReused, now).await?;
            tx.record(AuditEvent::failed(AuditAction::RefreshReuse).on_user(&user).in_session(&session)).await?;
            return Ok(Attempt::Reused);
        }
    };
    if outcome == RotationOutcome::Replayed {
        record_issue(tx, &user, &session, now).await?;
    }
    if mode == RotationMode::Rotate(OldAccessToken::Revoke)
        && !(decision == Decision::Rotate && outcome == RotationOutcome::Replayed)
    {
        revoke_generations(tx, app, &user, &session, claims.generation, now).await?;
    }
    let Some(session) = sessions::find(tx, session_id.uuid()).await? else { return Err(ended()) };
    let access = grants::access_of(tx, user.id).await?;
    let tokens = tokens::issue_pair(app, &user, &access.roles, &session, now)?;
    Ok(Attempt::Refreshed(Box::new(IssuedSession { user, session, access, tokens }), outcome))
}

/// Records the issue of another access token, unless one was issued in the same second.
async fn record_issue(
    tx: &UnitOfWork<'_>,
    user: &user::Model,
    session: &session::Model,
    now: DateTime<Utc>,
) -> Result<()> {
    let issued_at = tokens::issue_time(user, now);
    if issued_at.timestamp() <= session.issued_at.utc().timestamp() {
        return Ok(());
    }
    sessions::update_issued_at(tx, session.id, issued_at).await
}

/// Records a replay to another address or user agent than the session's: a client that missed the response, or a thief.
/// At most one event per minute each.
async fn record_replay(
    tx: &UnitOfWork<'_>,
    app: &App,
    context: &RequestContext,
    user: &user::Model,
    session: &session::Model,
    now: DateTime<Utc>,
) -> Result<()> {
    let address = context.address.map(|address| address.to_string());
    if address == session.address && context.user_agent == session.user_agent {
        return Ok(());
    }
    let key = format!("{} {address:?} {:?}", session.uid, context.user_agent);
    if app.rate_limits.replay_records.take(RateLimitKey::text(&key), now).await.is_err() {
        return Ok(());
    }
    tx.record(AuditEvent::success(AuditAction::RefreshReplay).on_user(user).in_session(session)).await
}

fn refusal(code: RefusalCode, message: &str) -> Error {
    Refusal::new(code, message).for_field("refreshToken").into()
}

fn invalid(error: TokenError) -> Error {
    let message = match error {
        TokenError::Malformed => "not a refresh token: sign in",
        _ => "the refresh token is not valid: sign in",
    };
    refusal(RefusalCode::RefreshTokenInvalid, message)
}

fn ended() -> Error {
    refusal(RefusalCode::SessionEnded, "the session has ended: sign in")
}

fn reused() -> Error {
    refusal(
        RefusalCode::RefreshTokenReused,
        "the refresh token was already replaced, so the session was ended: sign in",
    )
}
