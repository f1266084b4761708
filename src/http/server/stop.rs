//! How far the stop has come, and how those learn of it who would go on for ever.

use std::future::pending;

use tokio::sync::watch;

/// How far the stop has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Not at all.
    Serving,
    /// Nothing new is taken, what was begun is finished.
    Draining,
    /// Everything is cut.
    Cut,
}

/// In the extensions of every request: tells when the server begins to stop. One that nobody has put there never does.
#[derive(Debug, Clone, Default)]
pub(in crate::http) struct Stop(Option<watch::Receiver<Stage>>);

impl Stop {
    pub(super) fn new(stage: watch::Receiver<Stage>) -> Self {
        Self(Some(stage))
    }

    /// Whether it has begun.
    pub fn has_begun(&self) -> bool {
        self.0.as_ref().is_some_and(|stage| *stage.borrow() > Stage::Serving)
    }

    /// Waits until it begins.
    pub async fn begins(&mut self) {
        match &mut self.0 {
            // Whose server is gone has nothing to wait for, either.
            Some(stage) => drop(stage.wait_for(|stage| *stage > Stage::Serving).await),
            None => pending().await,
        }
    }
}
