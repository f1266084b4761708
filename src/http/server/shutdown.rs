//! Graceful shutdown: its phases, and the signal for long-running handlers.

use tokio_util::sync::CancellationToken;

/// The phases of the shutdown; each token is cancelled when its phase starts.
#[derive(Debug, Clone, Default)]
pub(super) struct Phases {
    /// No new work is accepted; requests in flight finish.
    pub draining: CancellationToken,
    /// All connections are aborted.
    pub aborting: CancellationToken,
}

/// The shutdown signal in the extensions of every request. The default value never signals.
#[derive(Debug, Clone, Default)]
pub(in crate::http) struct Shutdown(CancellationToken);

impl Shutdown {
    /// Signals when `draining` is cancelled.
    pub(super) fn new(draining: CancellationToken) -> Self {
        Self(draining)
    }

    /// Whether shutdown has started.
    pub fn has_started(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits until shutdown starts.
    pub async fn started(&self) {
        self.0.cancelled().await;
    }
}
