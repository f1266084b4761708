//! Retention: sessions, API tokens of logins, revocations and known origins go, batch by batch, a week after they could have mattered for the last time, and
//! counters of failures a month after the last one.

use chrono::{DateTime, TimeDelta, Utc};

use crate::app::App;
use crate::error::Result;
use crate::store::{api_tokens, database_clock, login_origins, revoked_tokens, sessions, throttles};

/// How long a row is kept after every token that it speaks of has expired: no clock that goes wrong by less brings a
/// token back (promise S18).
pub const ROW_RETENTION: TimeDelta = TimeDelta::days(7);

/// How long a counter of failures is kept after the last one. As long for names of nobody as for accounts and devices, or
/// its end would tell who exists.
pub const COUNTER_RETENTION: TimeDelta = TimeDelta::days(30);

/// Most rows of a table that one batch deletes: who waits for SQLite's only writer waits for so many.
const BATCH_SIZE: u64 = 500;

/// The time that both the database's clock and this node's have reached: one that runs ahead purges nothing.
///
/// # Errors
/// Internal ones only.
pub async fn safe_now(app: &App) -> Result<DateTime<Utc>> {
    Ok(database_clock::now(app.db.reader()).await?.min(app.clock.now()))
}

/// Deletes one batch of what was over at `time`; tells how many rows, none when all is done. Nodes may do it
/// at the same time.
///
/// # Errors
/// Internal ones only.
pub async fn purge(app: &App, time: DateTime<Utc>) -> Result<u64> {
    let Some(idle_since) = time.checked_sub_signed(COUNTER_RETENTION) else { return Ok(0) };
    let Some(time) = time.checked_sub_signed(ROW_RETENTION) else { return Ok(0) };
    let counters = app.db.retry(|| throttles::delete_stale(app.db.writer(), idle_since, BATCH_SIZE)).await?;
    // Sessions first: a token whose session is gone is refused, whatever is on the list.
    let sessions = app.db.retry(|| sessions::delete_expired(app.db.writer(), time, BATCH_SIZE)).await?;
    let tokens = app.db.retry(|| revoked_tokens::delete_expired(app.db.writer(), time, BATCH_SIZE)).await?;
    let origins = app.db.retry(|| login_origins::delete_expired(app.db.writer(), time, BATCH_SIZE)).await?;
    let api_tokens = app.db.retry(|| api_tokens::delete_expired_from_login(app.db.writer(), time, BATCH_SIZE)).await?;
    Ok(sessions + tokens + counters + origins + api_tokens)
}
