//! Refresh: the next pair of tokens, in a way that a lost answer or a second tab cannot lose (RFC 9700 section 4.14.2).

use chrono::{DateTime, TimeDelta, Utc};
use entity::session::{self, EndReason};
use entity::user;
use secrecy::{ExposeSecret, SecretString};

use super::audit::Event;
use super::id::{SessionId, UserId};
use super::requester::{Client, Requester};
use super::revocation::revoke_generations;
use super::session::{SignIn, end, is_live};
use super::transaction::Transaction;
use super::{role, tokens};
use crate::app::App;
use crate::config;
use crate::error::{Error, Refusal, RefusalCode, Result, TokenFault};
use crate::security::throttle::Subject;
use crate::security::token::{RefreshClaims, Verified};
use crate::store::sessions::{Found, Step};
use crate::store::{sessions, users};

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
    /// It is refused from now on, and so are those before it. A session that was renewed a moment ago stays in its
    /// generation.
    Revoke,
    /// None is left behind: the session stays in its generation, for callers that cannot take another refresh token.
    Stay,
}

/// What a session does with a refresh token of some generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Rotate,
    Replay,
    Reuse,
}

/// A refresh that revokes its predecessor sooner after the last one is a replay: there is one revoked token a second.
const MIN_INTERVAL: TimeDelta = TimeDelta::seconds(1);

/// How often a lost race is run again; each lost race means that another caller moved the session on.
const ATTEMPTS: usize = 3;

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
    client: &Client,
    refresh_token: Option<&SecretString>,
    predecessor: Predecessor,
) -> Result<(SignIn, Outcome)> {
    if refresh_token.is_none() {
        client.jar.refuse_forged()?;
    }
    let Some(refresh_token) = refresh_token.or(client.jar.refresh_token()) else {
        return Err(refusal(RefusalCode::RefreshTokenMissing, "no refresh token was sent: sign in"));
    };
    let now = app.clock.now();
    let claims = claims(app, refresh_token, now)?;
    if predecessor == Predecessor::Keep
        && let Some(renewed) = rotate(app, client, &claims, now).await?
    {
        return Ok((renewed.kept_by(client), Outcome::Rotated));
    }
    for _ in 0..ATTEMPTS {
        let renewed = app.db.retry(|| attempt(app, client, &claims, predecessor, now)).await?;
        if let Some((renewed, outcome)) = renewed {
            return Ok((renewed.kept_by(client), outcome));
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
    predecessor: Predecessor,
) -> Result<(SignIn, Outcome)> {
    let caller = requester.known()?;
    let claims = claims(app, refresh_token, app.clock.now())?;
    if claims.sub != UserId::from(caller.user.uid).to_string() {
        return Err(Error::Forbidden);
    }
    refresh(app, &requester.client, Some(refresh_token), predecessor).await
}

/// The claims of a refresh token that counts at `now`.
fn claims(app: &App, token: &SecretString, now: DateTime<Utc>) -> Result<RefreshClaims> {
    match tokens::verify_refresh(app, token.expose_secret(), now) {
        Ok(Verified::Valid(claims)) => Ok(claims),
        Ok(Verified::Expired(_)) => Err(ended()),
        Err(fault) => Err(invalid(fault)),
    }
}

/// The most frequent case without a transaction: the session moves on by one conditional statement, so that others who
/// write wait for no reading. Nothing, if it is another case, or the session or the user changed in between.
async fn rotate(app: &App, client: &Client, claims: &RefreshClaims, now: DateTime<Utc>) -> Result<Option<SignIn>> {
    let (Ok(session_id), Ok(user_id)) = (claims.sid.parse::<SessionId>(), claims.sub.parse::<UserId>()) else {
        return Ok(None);
    };
    let found = sessions::find_signed_in(app.db.reader(), session_id.uuid()).await?;
    let Some(Found { session, user, grants }) = found else { return Ok(None) };
    let lives = is_live(&session, now) && user.is_active();
    if !lives || user.uid != user_id.uuid() || session.generation != claims.generation {
        return Ok(None);
    }
    client.jar.require_proof(session.transport)?;
    // The statement sees whether the roles have changed since, with the user's version.
    let access = role::access_by(grants);
    let step = step(app, &user, &session, now);
    app.db.check_file()?;
    let moved = app.db.retry(|| sessions::rotate(app.db.writer(), &session, &user, step)).await?;
    let Some(session) = moved else { return Ok(None) };
    app.memory.forget(user.id);
    let tokens = tokens::pair(app, &user, &access.roles, &session, now)?;
    Ok(Some(SignIn { user, session, access, tokens }))
}

/// How the session moves on.
fn step(app: &App, user: &user::Model, session: &session::Model, now: DateTime<Utc>) -> Step {
    let idle_end_at = (now + app.config.token.refresh_idle).min(session.absolute_end_at.utc());
    Step { issued_at: tokens::issue_time(user, now), idle_end_at, now }
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
    let tx = Transaction::begin(app, now).await?;
    // Until the transaction ends nobody changes what the token says.
    let Some(user) = users::lock_by_uid(&tx, user_id.uuid()).await? else { return Err(ended()) };
    let found = sessions::find(&tx, session_id.uuid()).await?;
    let Some(session) = found.filter(|session| session.user_id == user.id) else { return Err(ended()) };
    if !is_live(&session, now) || !user.is_active() {
        return Err(ended());
    }
    let reading = read(&session, claims.generation, &app.config.token, now);
    if reading != Reading::Reuse {
        client.jar.require_proof(session.transport)?;
    }
    let was_just_rotated = session.generation > 1 && now - session.rotated_at.utc() < MIN_INTERVAL;
    let stays = predecessor == Predecessor::Stay || predecessor == Predecessor::Revoke && was_just_rotated;
    let outcome = match reading {
        Reading::Rotate if stays => Outcome::Replayed,
        Reading::Rotate => {
            if !sessions::update_generation(&tx, &session, step(app, &user, &session, now)).await? {
                return Ok(None);
            }
            Outcome::Rotated
        }
        Reading::Replay => {
            record_replay(&tx, app, client, (&user, &session), now).await?;
            Outcome::Replayed
        }
        Reading::Reuse => {
            end(&tx, &user, std::slice::from_ref(&session), EndReason::RefreshTokenReused, now).await?;
            Event::failed("refresh.reuse").to(&user).within(&session).record(&tx, app, client, now).await?;
            tx.commit().await?;
            return Err(reused());
        }
    };
    if outcome == Outcome::Replayed {
        note_issue(&tx, &user, &session, now).await?;
    }
    if predecessor == Predecessor::Revoke && !(reading == Reading::Rotate && outcome == Outcome::Replayed) {
        revoke_generations(&tx, app, &user, &session, claims.generation, now).await?;
    }
    let Some(session) = sessions::find(&tx, session_id.uuid()).await? else { return Err(ended()) };
    let access = role::access_of(&tx, user.id).await?;
    tx.commit().await?;
    let tokens = tokens::pair(app, &user, &access.roles, &session, now)?;
    Ok(Some((SignIn { user, session, access, tokens }, outcome)))
}

/// Notes that another access token of the session is issued, unless one of the same second was.
async fn note_issue(tx: &Transaction, user: &user::Model, session: &session::Model, now: DateTime<Utc>) -> Result<()> {
    let issued_at = tokens::issue_time(user, now);
    if issued_at.timestamp() <= session.issued_at.utc().timestamp() {
        return Ok(());
    }
    sessions::update_issued(tx, session.id, issued_at).await
}

/// The predecessor is replayed until its successor is known to have arrived, but for no longer than an access token
/// lives: a thief who rotates first and then waits would share the session with its owner. It is replayed for a short
/// time after the arrival, too, because other tabs may be under way with it. Any other generation is reuse.
fn read(session: &session::Model, generation: i32, settings: &config::Token, now: DateTime<Utc>) -> Reading {
    if generation == session.generation {
        return Reading::Rotate;
    }
    let arrived = session.receipt >= session.generation;
    let limit = if arrived { settings.replay_window } else { settings.replay_window.max(settings.access_lifetime) };
    let is_recent = now - session.rotated_at.utc() < limit;
    if generation == session.generation - 1 && is_recent { Reading::Replay } else { Reading::Reuse }
}

/// Whether a refresh token of this generation would be refused as reuse.
pub(super) fn is_spent(app: &App, session: &session::Model, generation: i32, now: DateTime<Utc>) -> bool {
    read(session, generation, &app.config.token, now) == Reading::Reuse
}

/// Records a replay to another address or user agent than the session was opened from: the client that lost the answer
/// or a thief. One record a minute for each of them.
async fn record_replay(
    tx: &Transaction,
    app: &App,
    client: &Client,
    (user, session): (&user::Model, &session::Model),
    now: DateTime<Utc>,
) -> Result<()> {
    let address = client.address.map(|address| address.to_string());
    if address == session.address && client.user_agent == session.user_agent {
        return Ok(());
    }
    let key = format!("{} {address:?} {:?}", session.uid, client.user_agent);
    if app.throttle.replay_records.reserve(Subject::text(&key), now).await.is_err() {
        return Ok(());
    }
    Event::success("refresh.replay").to(user).within(session).record(tx, app, client, now).await
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

#[cfg(test)]
mod tests {
    use super::*;
    use entity::session::Transport;

    const ROTATED: i64 = 1_000_000;

    /// What a session of generation 5 does with a token, some time after it was rotated.
    fn reading(receipt: i32, generation: i32, later: i64) -> Reading {
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
            replay_window: TimeDelta::seconds(30),
        };
        read(&session, generation, &settings, at(ROTATED + later))
    }

    #[test]
    fn rotates_with_the_present_generation_whenever_it_comes() {
        for (receipt, later) in [(4, 0), (5, 0), (4, i64::from(i32::MAX)), (5, i64::from(i32::MAX))] {
            assert_eq!(reading(receipt, 5, later), Reading::Rotate);
        }
    }

    #[test]
    fn replays_the_last_generation_until_its_successor_has_arrived_and_the_window_is_over() {
        for (receipt, later, expected) in [
            (4, 0, Reading::Replay),
            (4, 29_999, Reading::Replay),
            (4, 30_000, Reading::Replay),
            (4, 899_999, Reading::Replay),
            (4, 900_000, Reading::Reuse),
            (4, i64::from(i32::MAX), Reading::Reuse),
            (5, 0, Reading::Replay),
            (5, 29_999, Reading::Replay),
            (5, 30_000, Reading::Reuse),
            (5, i64::from(i32::MAX), Reading::Reuse),
            // A clock that was set back is no reason to end a session.
            (5, -60_000, Reading::Replay),
        ] {
            assert_eq!(reading(receipt, 4, later), expected, "receipt {receipt}, {later} ms later");
        }
    }

    #[test]
    fn takes_every_other_generation_for_a_copy_in_the_wrong_hands() {
        for generation in [i32::MIN, -1, 0, 1, 3, 6, i32::MAX] {
            for receipt in [4, 5] {
                assert_eq!(reading(receipt, generation, 0), Reading::Reuse, "{generation}");
            }
        }
    }
}
