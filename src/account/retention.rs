//! Retention: expired rows are deleted in batches, a week after they could last matter; failure counters a month after
//! the last failure. Covers sessions, API tokens of logins, revocations and login origins.

use chrono::{DateTime, TimeDelta, Utc};

use crate::app::App;
use crate::error::Result;
use crate::store::{api_tokens, database_clock, login_origins, revoked_tokens, sessions, throttles};

/// How long a row stays after all its tokens have expired: a clock error below this cannot revive a token (promise
/// S18).
pub const ROW_RETENTION: TimeDelta = TimeDelta::days(7);

/// How long a failure counter stays after the last failure. It is the same for unknown names: a shorter time would
/// reveal which users exist.
pub const COUNTER_RETENTION: TimeDelta = TimeDelta::days(30);

/// Maximum rows of a table deleted per batch: other writers of SQLite wait for a batch.
const BATCH_SIZE: u64 = 500;

/// The time that both the database's and this node's clock have reached: a clock that runs ahead deletes nothing.
pub async fn safe_now(app: &App) -> Result<DateTime<Utc>> {
    Ok(database_clock::now(app.db.reader()).await?.min(app.clock.now()))
}

/// Deletes one batch of rows that had expired at `time`; returns the number of rows, 0 when done. Nodes may run it
/// concurrently.
pub async fn purge(app: &App, time: DateTime<Utc>) -> Result<u64> {
    let Some(idle_since) = time.checked_sub_signed(COUNTER_RETENTION) else { return Ok(0) };
    let Some(time) = time.checked_sub_signed(ROW_RETENTION) else { return Ok(0) };
    let counters = app.db.retry(|| throttles::delete_stale(app.db.writer(), idle_since, BATCH_SIZE)).await?;
    // Sessions first: a token without a session is refused, whatever the revocation list has.
    let sessions = app.db.retry(|| sessions::delete_expired(app.db.writer(), time, BATCH_SIZE)).await?;
    let tokens = app.db.retry(|| revoked_tokens::delete_expired(app.db.writer(), time, BATCH_SIZE)).await?;
    let origins = app.db.retry(|| login_origins::delete_expired(app.db.writer(), time, BATCH_SIZE)).await?;
    let api_tokens = app.db.retry(|| api_tokens::delete_expired_from_login(app.db.writer(), time, BATCH_SIZE)).await?;
    Ok(sessions + tokens + counters + origins + api_tokens)
}
