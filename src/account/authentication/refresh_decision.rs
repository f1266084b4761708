//! Decision on a refresh token: rotate, replay or reuse.

use chrono::{DateTime, TimeDelta, Utc};
use entity::session;

use crate::app::App;
use crate::config;

/// Whether a refresh replaces the refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RotationMode {
    /// It does: the session gets its next generation.
    Rotate(OldAccessToken),
    /// It does not, for clients that cannot store a new refresh token: the session keeps its generation, and so its
    /// access tokens.
    Keep,
}

/// What a rotation does to the access token of the generation before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OldAccessToken {
    /// It stays valid until it expires, so that concurrent requests succeed.
    Keep,
    /// It is revoked together with all earlier ones. A session that rotated a moment ago keeps its generation.
    Revoke,
}

/// A revoking refresh sooner after the last rotation is a replay: at most one token per second is revoked.
const MIN_ROTATION_INTERVAL: TimeDelta = TimeDelta::seconds(1);

impl RotationMode {
    /// Whether the session keeps its generation although its refresh token is current.
    pub(super) fn keeps_generation(self, session: &session::Model, now: DateTime<Utc>) -> bool {
        match self {
            Self::Rotate(OldAccessToken::Keep) => false,
            Self::Rotate(OldAccessToken::Revoke) => {
                session.generation > 1 && now - session.rotated_at.utc() < MIN_ROTATION_INTERVAL
            }
            Self::Keep => true,
        }
    }
}

/// How a session treats a refresh token of a given generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    Rotate,
    Replay,
    Reuse,
}

/// The current generation rotates. The previous one is replayed for a limited time after the rotation; any other is
/// reuse.
///
/// The limit depends on the receipt: the highest generation whose tokens the client has used.
/// - Without a receipt of the current generation, its response may be lost: the limit is an access token's lifetime,
///   or the refresh grace period if that is longer.
/// - With it, the limit is the refresh grace period: other tabs may still send the previous token.
///
/// Without a limit, a thief who rotates first could share the session with its owner.
pub(super) fn decide(
    session: &session::Model,
    generation: i32,
    settings: &config::Token,
    now: DateTime<Utc>,
) -> Decision {
    if generation == session.generation {
        return Decision::Rotate;
    }
    let is_confirmed = session.receipt >= session.generation;
    let limit =
        if is_confirmed { settings.refresh_grace } else { settings.refresh_grace.max(settings.access_lifetime) };
    let is_recent = now - session.rotated_at.utc() < limit;
    if generation == session.generation - 1 && is_recent { Decision::Replay } else { Decision::Reuse }
}

/// Whether a refresh token of this generation would be refused as reuse.
pub(in crate::account) fn is_reuse(app: &App, session: &session::Model, generation: i32, now: DateTime<Utc>) -> bool {
    decide(session, generation, &app.config.token, now) == Decision::Reuse
}

#[cfg(test)]
mod tests {
    use super::*;
    use entity::session::Transport;

    const ROTATED: i64 = 1_000_000;

    /// The decision on a token for a session of generation 5, `later` ms after its rotation.
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
            // A clock that was set back does not end a session.
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
