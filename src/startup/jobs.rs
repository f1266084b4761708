//! A node's work in the background: at the start and every hour it purges what is over, with pauses for requests.

use std::time::Duration;

use crate::account::authentication::retention;
use crate::app::App;
use crate::error::{Error, Result};

/// How often a node looks for what is over.
const PURGE_INTERVAL: Duration = Duration::from_secs(60 * 60);

/// The pause after each batch.
const BATCH_INTERVAL: Duration = Duration::from_millis(100);

/// Purges for as long as the node runs; what goes wrong is logged and tried again an hour later.
pub async fn purge_periodically(app: App) {
    loop {
        match purge(&app).await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "purged sessions and revocations that were over"),
            Err(Error::Internal(cause) | Error::StorageUnavailable(cause)) => {
                tracing::warn!(cause = format!("{cause:#}"), "cannot purge what is over");
            }
            Err(error) => tracing::warn!(%error, "cannot purge what is over"),
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
