//! How far the stop has come, and how those learn of it who would go on for ever.

use std::future::pending;

use tokio::sync::watch;

/// How far the stop has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Not at all.
    Serving,
    /// Nothing new is taken, what was begun is finished.
    Draining,
    /// Everything is cut.
    Aborting,
}

/// In the extensions of every request: tells when the server begins to stop. One that nobody has put there never does.
#[derive(Debug, Clone, Default)]
pub(in crate::http) struct Shutdown(Option<watch::Receiver<Phase>>);

impl Shutdown {
    pub(super) fn new(phase: watch::Receiver<Phase>) -> Self {
        Self(Some(phase))
    }

    /// Whether it has begun.
    pub fn has_started(&self) -> bool {
        self.0.as_ref().is_some_and(|stage| *stage.borrow() > Phase::Serving)
    }

    /// Waits until it begins.
    pub async fn started(&mut self) {
        match &mut self.0 {
            // Whose server is gone has nothing to wait for, either.
            Some(phase) => drop(phase.wait_for(|stage| *stage > Phase::Serving).await),
            None => pending().await,
        }
    }
}
