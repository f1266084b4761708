//! The watch: reads the counters of changes a few times a second, and at once when another node nudges.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sea_orm::DatabaseConnection;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::ledger::Ledger;
use super::nudge::Nudge;
use crate::store::change_counters;

/// How long the counters are left alone when nobody nudges.
const PERIOD: Duration = Duration::from_millis(250);

/// How long they are left alone however much one is nudged.
const PAUSE: Duration = Duration::from_millis(10);

/// How long a reading may take. One that takes longer is worth nothing, and the database is in trouble.
const PATIENCE: Duration = Duration::from_secs(1);

/// Keeps the ledger up to date until it is dropped.
pub struct Watch {
    _tasks: JoinSet<()>,
}

impl Watch {
    /// Begins to read the counters from `db`, a connection of its own that nobody can keep it waiting for, and to
    /// exchange nudges with other nodes. `heard` is called after a reading that told of changes.
    pub fn start(
        ledger: &Ledger,
        db: DatabaseConnection,
        nudge: Option<Arc<dyn Nudge>>,
        heard: impl Fn() + Send + 'static,
    ) -> Self {
        let mut tasks = JoinSet::new();
        let woken = Arc::new(Notify::new());
        tasks.spawn(read(ledger.clone(), db, Arc::clone(&woken), heard));
        if let Some(nudge) = nudge {
            tasks.spawn(Arc::clone(&nudge).listen(woken));
            tasks.spawn(tell(ledger.clone(), nudge));
        }
        Self { _tasks: tasks }
    }
}

async fn read(ledger: Ledger, db: DatabaseConnection, woken: Arc<Notify>, heard: impl Fn() + Send) {
    let mut counted = HashMap::new();
    let mut is_well = true;
    loop {
        // Taken before the question: what was committed before it is in the answer.
        let begun = Instant::now();
        match timeout(PATIENCE, change_counters::list(&db)).await {
            Ok(Ok(counters)) => {
                let mut is_news = false;
                for counter in counters {
                    // The first reading raises them all: what was remembered before it may have been overtaken.
                    if counted.insert(counter.slot, counter.changes) != Some(counter.changes) {
                        ledger.note_slot(counter.slot);
                        is_news = true;
                    }
                }
                ledger.hear(begun);
                if is_news {
                    heard();
                }
                if !is_well {
                    tracing::info!("changes of other nodes arrive again");
                }
                is_well = true;
            }
            failed => {
                if is_well {
                    let cause = failed.map_or("no answer in time".to_owned(), |failed| {
                        failed.err().map_or_else(String::new, |error| format!("{error:#}"))
                    });
                    tracing::warn!(cause, "changes of other nodes do not arrive: every request asks the database");
                }
                is_well = false;
            }
        }
        sleep(PAUSE).await;
        timeout(PERIOD, woken.notified()).await.ok();
    }
}

/// Nudges the others after changes of this node; many changes at once make one nudge.
async fn tell(ledger: Ledger, nudge: Arc<dyn Nudge>) {
    let mut is_well = true;
    loop {
        ledger.is_to_be_told().await;
        let sent = timeout(PATIENCE, nudge.send()).await;
        let cause = match sent {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(format!("{error:#}")),
            Err(_) => Some("no answer in time".to_owned()),
        };
        if let Some(cause) = &cause
            && is_well
        {
            tracing::warn!(cause, "other nodes could not be nudged: they see changes when they look by themselves");
        }
        is_well = cause.is_none();
    }
}
