//! Refresh: the next pair of tokens, in a way that a lost answer or a second tab cannot lose (RFC 9700 section 4.14.2).

use chrono::{DateTime, TimeDelta, Utc};
use entity::session::{self, EndReason};
use entity::user;
use secrecy::{ExposeSecret, SecretString};

use super::session::{IssuedSession, end, is_live};
use super::tokens;
use crate::account::access::role;
use crate::account::caller::requester::{RequestContext, Requester};
use crate::account::event::audit::AuditEvent;
use crate::account::event::revocation::revoke_generations;
use crate::account::event::unit_of_work::UnitOfWork;
use crate::account::user::id::{SessionId, UserId};
use crate::app::App;
use crate::config;
use crate::error::{Error, Refusal, RefusalCode, Result, TokenError};
use crate::limits::rate_limits::RateLimitKey;
use crate::security::jwt::{RefreshClaims, Verified};
use crate::store::sessions::{Rotation, SessionWithGrants};
use crate::store::{sessions, users};

/// How the server read a refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RotationOutcome {
    /// The session moved on; the pair is new.
    Rotated,
    /// It had moved on already, and this caller may not have got the answer: the same pair again.
    Replayed,
}

/// What becomes of the access token of the generation that a refresh leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldAccessToken {
    /// It lives until it expires, so that requests under way are not refused.
    Keep,
    /// It is refused from now on, and so are those before it. A session that was renewed a moment ago stays in its
    /// generation.
    Revoke,
    /// None is left behind: the session stays in its generation, for callers that cannot take another refresh token.
    KeepWithoutRotation,
}

/// What a session does with a refresh token of some generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decision {
    Rotate,
    Replay,
    Reuse,
}

/// A refresh that revokes its predecessor sooner after the last one is a replay: there is one revoked token a second.
const MIN_ROTATION_INTERVAL: TimeDelta = TimeDelta::seconds(1);

/// How often a lost race is run again; each lost race means that another caller moved the session on.
const MAX_RETRIES: usize = 3;

/// Renews the session that `refresh_token`, or in its absence the client's cookie, belongs to. Anybody who has it may;
/// an access token is not looked at. The new pair travels as the session's does. A refusal leaves the client's cookies
/// alone: by now another tab may have put a better one there.
///
/// # Errors
/// Refusals with [`RefusalCode::RefreshTokenMissing`], [`RefusalCode::RefreshTokenInvalid`],
/// [`RefusalCode::SessionEnded`], or [`RefusalCode::RefreshTokenReused`] — then the session was ended, and that is
/// committed although the answer is an error. [`Error::ForeignPage`] if cookies are used, or would be set, by a page
/// that may not.
pub async fn refresh(
    app: &App,
    context: &RequestContext,
    refresh_token: Option<&SecretString>,
    old_access_token: OldAccessToken,
) -> Result<(IssuedSession, RotationOutcome)> {
    if refresh_token.is_none() {
        context.cookies.reject_cross_site()?;
    }
    let Some(refresh_token) = refresh_token.or(context.cookies.refresh_token()) else {
        return Err(refusal(RefusalCode::RefreshTokenMissing, "no refresh token was sent: sign in"));
    };
    let now = app.clock.now();
    let claims = verified_claims(app, refresh_token, now)?;
    if old_access_token == OldAccessToken::Keep
        && let Some(renewed) = rotate(app, context, &claims, now).await?
    {
        return Ok((renewed.store_cookies(context), RotationOutcome::Rotated));
    }
    for _ in 0..MAX_RETRIES {
        let renewed = app.db.retry(|| refresh_in_transaction(app, context, &claims, old_access_token, now)).await?;
        if let Some((renewed, outcome)) = renewed {
            return Ok((renewed.store_cookies(context), outcome));
        }
    }
    Err(Error::internal("a session was rotated by others again and again"))
}

/// The same for a session of the caller's own; for older callers, who send an access token along. The caller may have
/// to choose a new password first.
///
/// # Errors
/// As [`refresh`]; [`Error::Unauthenticated`] without credentials that hold, and [`Error::Forbidden`] if the session is
/// somebody else's.
pub async fn refresh_own(
    app: &App,
    requester: &Requester,
    refresh_token: &SecretString,
    old_access_token: OldAccessToken,
) -> Result<(IssuedSession, RotationOutcome)> {
    let caller = requester.authenticated()?;
    let claims = verified_claims(app, refresh_token, app.clock.now())?;
    if claims.sub != UserId::from(caller.user.uid).to_string() {
        return Err(Error::Forbidden);
    }
    refresh(app, &requester.context, Some(refresh_token), old_access_token).await
}

/// The claims of a refresh token that counts at `now`.
fn verified_claims(app: &App, token: &SecretString, now: DateTime<Utc>) -> Result<RefreshClaims> {
    match tokens::verify_refresh(app, token.expose_secret(), now) {
        Ok(Verified::Valid(claims)) => Ok(claims),
        Ok(Verified::Expired(_)) => Err(ended()),
        Err(fault) => Err(invalid(fault)),
    }
}

/// The most frequent case without a transaction: the session moves on by one conditional statement, so that others who
/// write wait for no reading. Nothing, if it is another case, or the session or the user changed in between.
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
    let lives = is_live(&session, now) && user.is_active();
    if !lives || user.uid != user_id.uuid() || session.generation != claims.generation {
        return Ok(None);
    }
    context.cookies.require_same_site(session.transport)?;
    // The statement sees whether the roles have changed since, with the user's version.
    let access = role::access_from_grants(grants);
    let step = rotation_step(app, &user, &session, now);
    app.db.check_sqlite_file()?;
    let moved = app.db.retry(|| sessions::rotate(app.db.writer(), &session, &user, step)).await?;
    let Some(session) = moved else { return Ok(None) };
    app.identity_cache.invalidate(user.id);
    let tokens = tokens::issue_pair(app, &user, &access.roles, &session, now)?;
    Ok(Some(IssuedSession { user, session, access, tokens }))
}

/// How the session moves on.
fn rotation_step(app: &App, user: &user::Model, session: &session::Model, now: DateTime<Utc>) -> Rotation {
    let idle_end_at = (now + app.config.token.refresh_idle).min(session.absolute_end_at.utc());
    Rotation { issued_at: tokens::issue_time(user, now), idle_end_at, now }
}

async fn refresh_in_transaction(
    app: &App,
    context: &RequestContext,
    claims: &RefreshClaims,
    old_access_token: OldAccessToken,
    now: DateTime<Utc>,
) -> Result<Option<(IssuedSession, RotationOutcome)>> {
    let (Ok(session_id), Ok(user_id)) = (claims.sid.parse::<SessionId>(), claims.sub.parse::<UserId>()) else {
        return Err(invalid(TokenError::Invalid));
    };
    let tx = UnitOfWork::begin(app, now).await?;
    // Until the transaction ends nobody changes what the token says.
    let Some(user) = users::lock_by_uid(&tx, user_id.uuid()).await? else { return Err(ended()) };
    let found = sessions::find(&tx, session_id.uuid()).await?;
    let Some(session) = found.filter(|session| session.user_id == user.id) else { return Err(ended()) };
    if !is_live(&session, now) || !user.is_active() {
        return Err(ended());
    }
    let decision = decide(&session, claims.generation, &app.config.token, now);
    if decision != Decision::Reuse {
        context.cookies.require_same_site(session.transport)?;
    }
    let was_just_rotated = session.generation > 1 && now - session.rotated_at.utc() < MIN_ROTATION_INTERVAL;
    let stays = old_access_token == OldAccessToken::KeepWithoutRotation
        || old_access_token == OldAccessToken::Revoke && was_just_rotated;
    let outcome = match decision {
        Decision::Rotate if stays => RotationOutcome::Replayed,
        Decision::Rotate => {
            if !sessions::update_generation(&tx, &session, rotation_step(app, &user, &session, now)).await? {
                return Ok(None);
            }
            RotationOutcome::Rotated
        }
        Decision::Replay => {
            record_replay(&tx, app, context, (&user, &session), now).await?;
            RotationOutcome::Replayed
        }
        Decision::Reuse => {
            end(&tx, &user, std::slice::from_ref(&session), EndReason::RefreshTokenReused, now).await?;
            AuditEvent::failed("refresh.reuse")
                .on_user(&user)
                .in_session(&session)
                .record(&tx, app, context, now)
                .await?;
            tx.commit().await?;
            return Err(reused());
        }
    };
    if outcome == RotationOutcome::Replayed {
        record_issue(&tx, &user, &session, now).await?;
    }
    if old_access_token == OldAccessToken::Revoke
        && !(decision == Decision::Rotate && outcome == RotationOutcome::Replayed)
    {
        revoke_generations(&tx, app, &user, &session, claims.generation, now).await?;
    }
    let Some(session) = sessions::find(&tx, session_id.uuid()).await? else { return Err(ended()) };
    let access = role::access_of(&tx, user.id).await?;
    tx.commit().await?;
    let tokens = tokens::issue_pair(app, &user, &access.roles, &session, now)?;
    Ok(Some((IssuedSession { user, session, access, tokens }, outcome)))
}

/// Notes that another access token of the session is issued, unless one of the same second was.
async fn record_issue(tx: &UnitOfWork, user: &user::Model, session: &session::Model, now: DateTime<Utc>) -> Result<()> {
    let issued_at = tokens::issue_time(user, now);
    if issued_at.timestamp() <= session.issued_at.utc().timestamp() {
        return Ok(());
    }
    sessions::update_issued_at(tx, session.id, issued_at).await
}

/// The predecessor is replayed until its successor is known to have arrived, but for no longer than an access token
/// lives: a thief who rotates first and then waits would share the session with its owner. It is replayed for a short
/// time after the arrival, too, because other tabs may be under way with it. Any other generation is reuse.
fn decide(session: &session::Model, generation: i32, settings: &config::Token, now: DateTime<Utc>) -> Decision {
    if generation == session.generation {
        return Decision::Rotate;
    }
    let arrived = session.receipt >= session.generation;
    let limit = if arrived { settings.refresh_grace } else { settings.refresh_grace.max(settings.access_lifetime) };
    let is_recent = now - session.rotated_at.utc() < limit;
    if generation == session.generation - 1 && is_recent { Decision::Replay } else { Decision::Reuse }
}

/// Whether a refresh token of this generation would be refused as reuse.
pub(in crate::account) fn is_reuse(app: &App, session: &session::Model, generation: i32, now: DateTime<Utc>) -> bool {
    decide(session, generation, &app.config.token, now) == Decision::Reuse
}

/// Records a replay to another address or user agent than the session was opened from: the client that lost the answer
/// or a thief. One record a minute for each of them.
async fn record_replay(
    tx: &UnitOfWork,
    app: &App,
    context: &RequestContext,
    (user, session): (&user::Model, &session::Model),
    now: DateTime<Utc>,
) -> Result<()> {
    let address = context.address.map(|address| address.to_string());
    if address == session.address && context.user_agent == session.user_agent {
        return Ok(());
    }
    let key = format!("{} {address:?} {:?}", session.uid, context.user_agent);
    if app.throttle.replay_records.take(RateLimitKey::text(&key), now).await.is_err() {
        return Ok(());
    }
    AuditEvent::success("refresh.replay").on_user(user).in_session(session).record(tx, app, context, now).await
}

fn refusal(code: RefusalCode, message: &str) -> Error {
    Refusal::new(code, message).for_field("refreshToken").into()
}

fn invalid(fault: TokenError) -> Error {
    let message = match fault {
        TokenError::Malformed => "this is no refresh token: sign in",
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

#[cfg(test)]
mod tests {
    use super::*;
    use entity::session::Transport;

    const ROTATED: i64 = 1_000_000;

    /// What a session of generation 5 does with a token, some time after it was rotated.
    fn decision(receipt: i32, generation: i32, later: i64) -> Decision {
        let at = |millis| DateTime::from_timestamp_millis(millis).unwrap();
        let session = session::Model {
            id: 1,
            uid: uuid::Uuid::nil(),
            user_id: 1,
            generation: 5,
            receipt,
            transport: Transport::Body,
            device_name: None,
            user_agent: None,
            address: None,
            created_at: at(0).into(),
            rotated_at: at(ROTATED).into(),
            last_seen_at: at(0).into(),
            idle_end_at: at(0).into(),
            absolute_end_at: at(0).into(),
            ended_at: None,
            end_reason: None,
            issued_at: at(ROTATED).into(),
            lowest_generation: 1,
        };
        let settings = config::Token {
            issuer: String::new(),
            audience: String::new(),
            access_lifetime: TimeDelta::seconds(900),
            refresh_idle: TimeDelta::days(14),
            refresh_absolute: TimeDelta::days(30),
            refresh_grace: TimeDelta::seconds(30),
        };
        decide(&session, generation, &settings, at(ROTATED + later))
    }

    #[test]
    fn current_generation_always_rotates() {
        for (receipt, later) in [(4, 0), (5, 0), (4, i64::from(i32::MAX)), (5, i64::from(i32::MAX))] {
            assert_eq!(decision(receipt, 5, later), Decision::Rotate);
        }
    }

    #[test]
    fn previous_generation_replays_until_receipt_and_end_of_window() {
        for (receipt, later, expected) in [
            (4, 0, Decision::Replay),
            (4, 29_999, Decision::Replay),
            (4, 30_000, Decision::Replay),
            (4, 899_999, Decision::Replay),
            (4, 900_000, Decision::Reuse),
            (4, i64::from(i32::MAX), Decision::Reuse),
            (5, 0, Decision::Replay),
            (5, 29_999, Decision::Replay),
            (5, 30_000, Decision::Reuse),
            (5, i64::from(i32::MAX), Decision::Reuse),
            // A clock that was set back is no reason to end a session.
            (5, -60_000, Decision::Replay),
        ] {
            assert_eq!(decision(receipt, 4, later), expected, "receipt {receipt}, {later} ms later");
        }
    }

    #[test]
    fn any_other_generation_is_reuse() {
        for generation in [i32::MIN, -1, 0, 1, 3, 6, i32::MAX] {
            for receipt in [4, 5] {
                assert_eq!(decision(receipt, generation, 0), Decision::Reuse, "{generation}");
            }
        }
    }
}
