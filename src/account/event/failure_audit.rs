//! Audit events of failed attempts: the first at once, further ones of a time window as one row with their count.
//! Written rows never change.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::audit::AuditEvent;
use crate::account::caller::request_context::RequestContext;
use crate::app::App;
use crate::error::Result;
use crate::limits::failure_windows::{FailedAttempt, FailureSummary, Recording};

/// How often a node writes ended windows.
const FLUSH_INTERVAL: Duration = Duration::from_secs(60);

/// Records a failed attempt under the name key `name`.
pub(in crate::account) async fn record(
    app: &App,
    context: &RequestContext,
    event: AuditEvent,
    name: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    // The input may be a password in the wrong field: only a digest is stored.
    let digest = app.rate_limits.unknown_names.counter_key(name);
    let (recording, finished) = app.failure_windows.count(event.failure(context), digest, now);
    if !finished.is_empty() {
        // In a separate task: the response time must not depend on other windows.
        let app = app.clone();
        tokio::spawn(async move { write_or_warn(&app, finished).await });
    }
    match recording {
        Recording::Immediate => event.record_standalone(app, context, now).await,
        Recording::Aggregated => Ok(()),
    }
}

/// Writes ended windows periodically.
pub async fn run(app: App) {
    loop {
        tokio::time::sleep(FLUSH_INTERVAL).await;
        write_or_warn(&app, app.failure_windows.take_ended(app.clock.now())).await;
    }
}

/// Writes all windows, for process shutdown.
pub async fn flush(app: &App) -> Result<()> {
    write(app, app.failure_windows.take_all()).await
}

async fn write_or_warn(app: &App, finished: Vec<FailureSummary>) {
    let rows = finished.len();
    if let Err(error) = write(app, finished).await {
        tracing::warn!(%error, rows, "cannot record failed attempts");
    }
}

async fn write(app: &App, finished: Vec<FailureSummary>) -> Result<()> {
    for FailureSummary { last, count, first_at, last_at } in finished {
        let event = AuditEvent::from_window(&last)
            .with("count", count)
            .with("since", first_at.to_rfc3339())
            .with("until", last_at.to_rfc3339());
        let FailedAttempt { address, user_agent, request_id, .. } = last;
        event.record_standalone(app, &RequestContext::new(address, user_agent, request_id), app.clock.now()).await?;
    }
    Ok(())
}
