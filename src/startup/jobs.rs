//! Background jobs of the service, joined in one future that `cli/serve.rs` or the embedding application spawns.

use std::time::Duration;

use crate::account::event::{failure_audit, webhook};
use crate::account::retention;
use crate::app::App;
use crate::error::{Error, Result};

/// Interval between two purges.
const PURGE_INTERVAL: Duration = Duration::from_secs(60 * 60);

/// Pause after each batch.
const BATCH_INTERVAL: Duration = Duration::from_millis(100);

/// The background jobs of the service, for as long as the future is polled: webhook delivery, the purge of expired
/// rows, and the recording of counted failures. Other tasks start with their components, see [`crate::startup`].
pub async fn background(app: App) {
    tokio::join!(webhook::run(app.clone()), purge_periodically(app.clone()), failure_audit::run(app));
}

/// Purges expired rows at startup and every hour, with pauses between batches for requests. Logs errors and
/// continues an hour later.
async fn purge_periodically(app: App) {
    loop {
        match purge(&app).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "purged expired rows"),
            Err(Error::Internal(cause) | Error::StorageUnavailable(cause)) => {
                tracing::warn!(cause = format!("{cause:#}"), "cannot purge expired rows");
            }
            Err(error) => tracing::warn!(%error, "cannot purge expired rows"),
        }
        tokio::time::sleep(PURGE_INTERVAL).await;
    }
}

async fn purge(app: &App) -> Result<u64> {
    let time = retention::safe_now(app).await?;
    let mut rows = 0;
    loop {
        let batch = retention::purge(app, time).await?;
        if batch == 0 {
            return Ok(rows);
        }
        rows += batch;
        tokio::time::sleep(BATCH_INTERVAL).await;
    }
}
