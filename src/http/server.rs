//! The accept loop: serves until it is told to stop, then lets requests in flight finish within a limit.
//!
//! hyper parses; what it leaves open is closed here: how many connections there may be (`places`), how long a client
//! may take for each part of an exchange (`progress`, watched by `connection` and `stream`), and requests that
//! another server could read in another way (`framing`).

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use tokio::sync::watch;
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
use shutdown::Phase;
pub(super) use shutdown::Shutdown;

/// Pause after the system refused a connection for want of something: longer than a spin, shorter than anyone notices.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);

/// Pause between two warnings about the same thing.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);

/// How long cut connections have to go: only a handler that never yields takes any of it.
const ABORT_GRACE: Duration = Duration::from_secs(1);

/// In the extensions of an answer whose body goes on for as long as there is something to tell. It has no deadline of its
/// own, but what is sent has to be taken in time, and it is the last on its connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Streaming;

/// Serves `router` on `listener` until `stop` resolves. Then it is not ready any more, takes no more connections,
/// closes idle ones and waits for requests in flight: until they are done, until the settings' `drain` is over, or until
/// `at_once` resolves.
pub async fn serve(
    listener: impl Into<Listener>,
    router: Router,
    settings: &config::Server,
    shutdown: impl Future<Output = ()>,
    abort: impl Future<Output = ()>,
) {
    let listener = listener.into();
    let (phase_sender, phase) = watch::channel(Phase::Serving);
    let limit = ConnectionLimit::new(settings);
    tokio::select! {
        () = accept(&listener, &router, settings, &limit, &phase) => {}
        () = shutdown => {}
    }
    // First: a request that is already on its way must not learn that the server is ready.
    phase_sender.send_replace(Phase::Draining);
    drop(listener);
    let mut abort = pin!(abort);
    tokio::select! {
        () = limit.wait_until_empty() => return,
        () = sleep(settings.drain_timeout) => {
            tracing::warn!(seconds = settings.drain_timeout.as_secs(), "requests in flight did not finish in time");
        }
        () = abort.as_mut() => tracing::warn!("requests in flight are cut"),
    }
    phase_sender.send_replace(Phase::Aborting);
    timeout(ABORT_GRACE, limit.wait_until_empty()).await.ok();
}

/// Takes connections for ever.
async fn accept(
    listener: &Listener,
    router: &Router,
    settings: &config::Server,
    limit: &ConnectionLimit,
    phase: &watch::Receiver<Phase>,
) {
    let mut warnings = WarningLimiter::default();
    loop {
        if limit.is_full() {
            warnings.warn("every connection is taken: others wait (server.max_connections)", None);
        }
        // Before the connection is taken: those for which there is no place wait in the system's queue.
        let slot = limit.acquire().await;
        let (socket, peer) = accept_next(listener, &mut warnings).await;
        match slot.assign(peer.ip(), limit) {
            Some(permit) => {
                let phase = phase.clone();
                tokio::spawn(connection::run(socket, peer, router.clone(), settings.timeouts, phase, permit));
            }
            None => warnings.warn("an address has too many connections (server.max_connections_per_address)", None),
        }
    }
}

/// The next connection. When the system has no file descriptor or no memory for it, trying again at once would only
/// burn the time in which it could get some.
async fn accept_next(listener: &Listener, warnings: &mut WarningLimiter) -> (ClientSocket, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // The client is gone already.
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) => {}
            Err(error) => {
                warnings.warn("the system gives no connection", Some(&error));
                sleep(ACCEPT_BACKOFF).await;
            }
        }
    }
}

/// Tells operators what strangers can cause at will, seldom enough that the log does not drown in it.
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
