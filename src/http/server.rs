//! The accept loop: serves until shutdown, then drains requests in flight within a limit.
//!
//! hyper parses requests. This module adds connection limits (`connection_limit`), a timeout for each part of an
//! exchange (`timeouts`, enforced by `connection` and `stream`), and protection against request smuggling
//! (`smuggling`).

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use tokio::time::{Instant, sleep, timeout};

use crate::config;

mod connection;
mod connection_limit;
pub mod descriptors;
mod listener;
mod shutdown;
mod smuggling;
mod stream;
mod timeouts;

use connection_limit::ConnectionLimit;
use listener::ClientSocket;
pub use listener::{Listener, SocketFile};
use shutdown::Phases;
pub(super) use shutdown::Shutdown;

/// Pause after the system refused a connection for lack of resources: long enough not to spin, too short to notice.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);

/// Minimum time between two warnings with the same message.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);

/// How long aborted connections may take to end; only a handler that never yields needs any of it.
const ABORT_GRACE: Duration = Duration::from_secs(1);

/// Marks a response whose body is an open-ended stream, in its extensions. It has no deadline of its own, but each
/// write has one, and it is the last response on its connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Streaming;

/// Serves `router` on `listener` until `shutdown` resolves. Then readiness fails, no more connections are accepted,
/// idle ones are closed, and requests in flight are drained. Draining ends when they finish, when the settings' `drain`
/// is over, or when `abort` resolves.
pub async fn serve(
    listener: impl Into<Listener>,
    router: Router,
    settings: &config::Server,
    shutdown: impl Future<Output = ()>,
    abort: impl Future<Output = ()>,
) {
    let listener = listener.into();
    let phases = Phases::default();
    let limit = ConnectionLimit::new(settings);
    tokio::select! {
        () = accept(&listener, &router, settings, &limit, &phases) => {}
        () = shutdown => {}
    }
    // First: a readiness request already in flight must not succeed.
    phases.draining.cancel();
    drop(listener);
    let mut abort = pin!(abort);
    tokio::select! {
        () = limit.wait_until_empty() => return,
        () = sleep(settings.drain_timeout) => {
            tracing::warn!(seconds = settings.drain_timeout.as_secs(), "drain timeout: aborting requests in flight");
        }
        () = abort.as_mut() => tracing::warn!("aborting requests in flight"),
    }
    phases.aborting.cancel();
    timeout(ABORT_GRACE, limit.wait_until_empty()).await.ok();
}

/// Accepts connections indefinitely.
async fn accept(
    listener: &Listener,
    router: &Router,
    settings: &config::Server,
    limit: &ConnectionLimit,
    phases: &Phases,
) {
    let mut warnings = WarningLimiter::default();
    loop {
        if limit.is_full() {
            warnings.warn("connection limit reached: new clients wait (server.max_connections)", None);
        }
        // Before accepting: connections over the limit wait in the system's backlog.
        let slot = limit.acquire().await;
        let (socket, peer) = accept_next(listener, &mut warnings).await;
        match slot.assign(peer.ip(), limit) {
            Some(permit) => {
                let phases = phases.clone();
                tokio::spawn(connection::run(socket, peer, router.clone(), settings.timeouts, phases, permit));
            }
            None => warnings.warn("connection limit of an address reached (server.max_connections_per_address)", None),
        }
    }
}

/// The next connection. Without file descriptors or memory, retrying at once would only spin.
async fn accept_next(listener: &Listener, warnings: &mut WarningLimiter) -> (ClientSocket, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // The client has already disconnected.
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) => {}
            Err(error) => {
                warnings.warn("accepting a connection failed", Some(&error));
                sleep(ACCEPT_BACKOFF).await;
            }
        }
    }
}

/// Limits the rate of warnings that clients can cause, so that they do not flood the log.
#[derive(Default)]
struct WarningLimiter {
    recent: Vec<(&'static str, Instant)>,
}

impl WarningLimiter {
    fn warn(&mut self, message: &'static str, error: Option<&io::Error>) {
        self.recent.retain(|(_, logged_at)| logged_at.elapsed() < WARNING_INTERVAL);
        if !self.recent.iter().any(|(logged, _)| *logged == message) {
            self.recent.push((message, Instant::now()));
            tracing::warn!(error = error.map(tracing::field::display), "{message}");
        }
    }
}
