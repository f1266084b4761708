//! Graceful shutdown: its phases, and the signal for long-running handlers.

use std::future::pending;

use tokio::sync::watch;

/// The phase of the shutdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Before shutdown.
    Serving,
    /// No new work is accepted; requests in flight finish.
    Draining,
    /// All connections are aborted.
    Aborting,
}

/// The shutdown signal in the extensions of every request. The default value never signals.
#[derive(Debug, Clone, Default)]
pub(in crate::http) struct Shutdown(Option<watch::Receiver<Phase>>);

impl Shutdown {
    pub(super) fn new(phase: watch::Receiver<Phase>) -> Self {
        Self(Some(phase))
    }

    /// Whether shutdown has started.
    pub fn has_started(&self) -> bool {
        self.0.as_ref().is_some_and(|phase| *phase.borrow() > Phase::Serving)
    }

    /// Waits until shutdown starts.
    pub async fn started(&mut self) {
        match &mut self.0 {
            // A dropped sender means that the server is gone: nothing to wait for.
            Some(phase) => drop(phase.wait_for(|phase| *phase > Phase::Serving).await),
            None => pending().await,
        }
    }
}
