//! Failed tries in the audit record: the first one at once, the others of a window of time in one row with their number.
//! A row that was written is never changed.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::audit::AuditEvent;
use crate::account::caller::requester::RequestContext;
use crate::app::App;
use crate::error::Result;
use crate::limits::failure_windows::{FailedAttempt, FailureSummary, Recording};

/// How often a node looks for windows that are over.
const FLUSH_INTERVAL: Duration = Duration::from_secs(60);

/// Records that something was tried under the name with the key `name`, with the wrong proof.
///
/// # Errors
/// Internal ones only.
pub(in crate::account) async fn record(
    app: &App,
    context: &RequestContext,
    event: AuditEvent,
    name: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    // Of what was typed, which may be a password in the wrong field, only a digest is kept.
    let digest = app.throttle.unknown_names.counter_key(name);
    let (record, finished) = app.failure_windows.count(event.failure(context), digest, now);
    if !finished.is_empty() {
        // In a task of its own: an answer that waited for it would tell of the windows of others.
        let app = app.clone();
        tokio::spawn(async move { write_or_warn(&app, finished).await });
    }
    match record {
        Recording::Immediate => event.record_standalone(app, context, now).await,
        Recording::Aggregated => Ok(()),
    }
}

/// Records the windows that are over, for as long as the node runs.
pub async fn run(app: App) {
    loop {
        tokio::time::sleep(FLUSH_INTERVAL).await;
        write_or_warn(&app, app.failure_windows.take_ended(app.clock.now())).await;
    }
}

/// Records all windows: for the end of a process.
///
/// # Errors
/// Internal ones only.
pub async fn flush(app: &App) -> Result<()> {
    write(app, app.failure_windows.take_all()).await
}

async fn write_or_warn(app: &App, finished: Vec<FailureSummary>) {
    let rows = finished.len();
    if let Err(error) = write(app, finished).await {
        tracing::warn!(%error, rows, "cannot record failures that were counted");
    }
}

async fn write(app: &App, finished: Vec<FailureSummary>) -> Result<()> {
    for FailureSummary { last, count, first_at: since, last_at: until } in finished {
        let event = AuditEvent::from_window(&last)
            .with("count", count)
            .with("since", since.to_rfc3339())
            .with("until", until.to_rfc3339());
        let FailedAttempt { address, user_agent, request_id, .. } = last;
        event.record_standalone(app, &RequestContext::new(address, user_agent, request_id), app.clock.now()).await?;
    }
    Ok(())
}
