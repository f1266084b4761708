//! Lifetime of a session, computed from its row.

use chrono::{DateTime, Utc};
use entity::session;

/// Whether the session has neither ended nor expired at `now`.
pub fn is_live(session: &session::Model, now: DateTime<Utc>) -> bool {
    session.ended_at.is_none() && now < session.idle_end_at.utc() && now < session.absolute_end_at.utc()
}

/// When the session expires without a refresh.
pub fn expires_at(session: &session::Model) -> DateTime<Utc> {
    session.idle_end_at.utc().min(session.absolute_end_at.utc())
}
