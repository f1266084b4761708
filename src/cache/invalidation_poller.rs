//! Polls the change counters several times a second, and at once when a peer sends a wakeup.

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

/// Time between two polls without a wakeup.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// Minimum time between two polls, however many wakeups arrive.
const MIN_POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Time limit of one poll. A slower one is too old to count, and the database is overloaded.
const POLL_TIMEOUT: Duration = Duration::from_secs(1);

/// Keeps the invalidation log up to date until it is dropped.
pub struct InvalidationPoller {
    _tasks: JoinSet<()>,
}

impl InvalidationPoller {
    /// Starts to poll the counters through `db`, a dedicated connection without contention, and to exchange wakeups
    /// with peers. `on_change` runs after each poll that found changes.
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
        // Before the query: its result includes everything committed earlier.
        let started = Instant::now();
        match timeout(POLL_TIMEOUT, change_counters::list(&db)).await {
            Ok(Ok(counters)) => {
                let mut has_changed = false;
                for counter in counters {
                    // The first poll invalidates all buckets: entries from before it may be out of date.
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
                    tracing::info!("invalidations from other nodes arrive again");
                }
                is_healthy = true;
            }
            failed => {
                if is_healthy {
                    let cause = failed.map_or("timed out".to_owned(), |failed| {
                        failed.err().map_or_else(String::new, |error| format!("{error:#}"))
                    });
                    tracing::warn!(cause, "no invalidations from other nodes: every request reads the database");
                }
                is_healthy = false;
            }
        }
        sleep(MIN_POLL_INTERVAL).await;
        timeout(POLL_INTERVAL, wakeup.notified()).await.ok();
    }
}

/// Wakes the peers after changes of this node; many changes at once cause one wakeup.
async fn notify_peers(invalidations: InvalidationLog, peer_wakeup: Arc<dyn PeerWakeup>) {
    let mut is_healthy = true;
    loop {
        invalidations.wait_for_unsent().await;
        let sent = timeout(POLL_TIMEOUT, peer_wakeup.send()).await;
        let cause = match sent {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(format!("{error:#}")),
            Err(_) => Some("timed out".to_owned()),
        };
        if let Some(cause) = &cause
            && is_healthy
        {
            tracing::warn!(cause, "waking other nodes failed: they see changes at their next poll");
        }
        is_healthy = cause.is_none();
    }
}
