//! Failed tries in the audit record: the first one at once, the others of a window of time in one row with their number.
//! A row that was written is never changed.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::audit::Event;
use super::requester::Client;
use crate::app::App;
use crate::error::Result;
use crate::security::failure_windows::{Counted, Failure, Record};

/// How often a node looks for windows that are over.
const INTERVAL: Duration = Duration::from_secs(60);

/// Records that something was tried under the name with the key `name`, with the wrong proof.
///
/// # Errors
/// Internal ones only.
pub(super) async fn record(app: &App, client: &Client, event: Event, name: &str, now: DateTime<Utc>) -> Result<()> {
    // Of what was typed, which may be a password in the wrong field, only a digest is kept.
    let digest = app.throttle.unknown_names.subject(name);
    let (record, finished) = app.failures.count(event.failure(client), digest, now);
    if !finished.is_empty() {
        // In a task of its own: an answer that waited for it would tell of the windows of others.
        let app = app.clone();
        tokio::spawn(async move { write_or_warn(&app, finished).await });
    }
    match record {
        Record::Now => event.record_alone(app, client, now).await,
        Record::Later => Ok(()),
    }
}

/// Records the windows that are over, for as long as the node runs.
pub async fn keep(app: App) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        write_or_warn(&app, app.failures.take_over(app.clock.now())).await;
    }
}

/// Records all windows: for the end of a process.
///
/// # Errors
/// Internal ones only.
pub async fn flush(app: &App) -> Result<()> {
    write(app, app.failures.take_all()).await
}

async fn write_or_warn(app: &App, finished: Vec<Counted>) {
    let rows = finished.len();
    if let Err(error) = write(app, finished).await {
        tracing::warn!(%error, rows, "cannot record failures that were counted");
    }
}

async fn write(app: &App, finished: Vec<Counted>) -> Result<()> {
    for Counted { last, count, since, until } in finished {
        let event = Event::counted(&last)
            .with("count", count)
            .with("since", since.to_rfc3339())
            .with("until", until.to_rfc3339());
        let Failure { address, user_agent, request_id, .. } = last;
        event.record_alone(app, &Client::new(address, user_agent, request_id), app.clock.now()).await?;
    }
    Ok(())
}
