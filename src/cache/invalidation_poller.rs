//! The watch: reads the counters of changes a few times a second, and at once when another node nudges.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sea_orm::DatabaseConnection;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::invalidation_log::InvalidationLog;
use super::wakeup::PeerWakeup;
use crate::store::change_counters;

/// How long the counters are left alone when nobody nudges.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// How long they are left alone however much one is nudged.
const MIN_POLL_INTERVAL: Duration = Duration::from_millis(10);

/// How long a reading may take. One that takes longer is worth nothing, and the database is in trouble.
const POLL_TIMEOUT: Duration = Duration::from_secs(1);

/// Keeps the ledger up to date until it is dropped.
pub struct InvalidationPoller {
    _tasks: JoinSet<()>,
}

impl InvalidationPoller {
    /// Begins to read the counters from `db`, a connection of its own that nobody can keep it waiting for, and to
    /// exchange nudges with other nodes. `heard` is called after a reading that told of changes.
    pub fn start(
        invalidations: &InvalidationLog,
        db: DatabaseConnection,
        peer_wakeup: Option<Arc<dyn PeerWakeup>>,
        on_change: impl Fn() + Send + 'static,
    ) -> Self {
        let mut tasks = JoinSet::new();
        let wakeup = Arc::new(Notify::new());
        tasks.spawn(poll(invalidations.clone(), db, Arc::clone(&wakeup), on_change));
        if let Some(peer_wakeup) = peer_wakeup {
            tasks.spawn(Arc::clone(&peer_wakeup).listen(wakeup));
            tasks.spawn(notify_peers(invalidations.clone(), peer_wakeup));
        }
        Self { _tasks: tasks }
    }
}

async fn poll(
    invalidations: InvalidationLog,
    db: DatabaseConnection,
    wakeup: Arc<Notify>,
    on_change: impl Fn() + Send,
) {
    let mut last_counts = HashMap::new();
    let mut is_healthy = true;
    loop {
        // Taken before the question: what was committed before it is in the answer.
        let started = Instant::now();
        match timeout(POLL_TIMEOUT, change_counters::list(&db)).await {
            Ok(Ok(counters)) => {
                let mut has_changed = false;
                for counter in counters {
                    // The first reading raises them all: what was remembered before it may have been overtaken.
                    if last_counts.insert(counter.slot, counter.changes) != Some(counter.changes) {
                        invalidations.record_bucket(counter.slot);
                        has_changed = true;
                    }
                }
                invalidations.mark_polled(started);
                if has_changed {
                    on_change();
                }
                if !is_healthy {
                    tracing::info!("changes of other nodes arrive again");
                }
                is_healthy = true;
            }
            failed => {
                if is_healthy {
                    let cause = failed.map_or("no answer in time".to_owned(), |failed| {
                        failed.err().map_or_else(String::new, |error| format!("{error:#}"))
                    });
                    tracing::warn!(cause, "changes of other nodes do not arrive: every request asks the database");
                }
                is_healthy = false;
            }
        }
        sleep(MIN_POLL_INTERVAL).await;
        timeout(POLL_INTERVAL, wakeup.notified()).await.ok();
    }
}

/// Nudges the others after changes of this node; many changes at once make one nudge.
async fn notify_peers(invalidations: InvalidationLog, peer_wakeup: Arc<dyn PeerWakeup>) {
    let mut is_healthy = true;
    loop {
        invalidations.wait_for_unsent().await;
        let sent = timeout(POLL_TIMEOUT, peer_wakeup.send()).await;
        let cause = match sent {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(format!("{error:#}")),
            Err(_) => Some("no answer in time".to_owned()),
        };
        if let Some(cause) = &cause
            && is_healthy
        {
            tracing::warn!(cause, "other nodes could not be nudged: they see changes when they look by themselves");
        }
        is_healthy = cause.is_none();
    }
}
