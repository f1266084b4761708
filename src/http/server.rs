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
pub mod descriptors;
mod framing;
mod listener;
mod places;
mod progress;
mod stop;
mod stream;

use listener::Connection;
pub use listener::{Listener, SocketFile};
use places::Places;
use stop::Stage;
pub(super) use stop::Stop;

/// Pause after the system refused a connection for want of something: longer than a spin, shorter than anyone notices.
const BREATH: Duration = Duration::from_millis(50);

/// Pause between two warnings about the same thing.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);

/// How long cut connections have to go: only a handler that never yields takes any of it.
const CUT: Duration = Duration::from_secs(1);

/// In the extensions of an answer whose body goes on for as long as there is something to tell. It has no deadline of its
/// own, but what is sent has to be taken in time, and it is the last on its connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unending;

/// Serves `router` on `listener` until `stop` resolves. Then it is not ready any more, takes no more connections,
/// closes idle ones and waits for requests in flight: until they are done, until the settings' `drain` is over, or until
/// `at_once` resolves.
pub async fn serve(
    listener: impl Into<Listener>,
    router: Router,
    settings: &config::Server,
    stop: impl Future<Output = ()>,
    at_once: impl Future<Output = ()>,
) {
    let listener = listener.into();
    let (stage, watched) = watch::channel(Stage::Serving);
    let places = Places::new(settings);
    tokio::select! {
        () = accept(&listener, &router, settings, &places, &watched) => {}
        () = stop => {}
    }
    // First: a request that is already on its way must not learn that the server is ready.
    stage.send_replace(Stage::Draining);
    drop(listener);
    let mut at_once = pin!(at_once);
    tokio::select! {
        () = places.emptied() => return,
        () = sleep(settings.drain) => {
            tracing::warn!(seconds = settings.drain.as_secs(), "requests in flight did not finish in time");
        }
        () = at_once.as_mut() => tracing::warn!("requests in flight are cut"),
    }
    stage.send_replace(Stage::Cut);
    timeout(CUT, places.emptied()).await.ok();
}

/// Takes connections for ever.
async fn accept(
    listener: &Listener,
    router: &Router,
    settings: &config::Server,
    places: &Places,
    stage: &watch::Receiver<Stage>,
) {
    let mut warnings = Warnings::default();
    loop {
        if places.is_full() {
            warnings.warn("every connection is taken: others wait (server.max_connections)", None);
        }
        // Before the connection is taken: those for which there is no place wait in the system's queue.
        let place = places.wait().await;
        let (socket, peer) = next(listener, &mut warnings).await;
        match place.of(peer.ip(), places) {
            Some(place) => {
                let stage = stage.clone();
                tokio::spawn(connection::run(socket, peer, router.clone(), settings.deadlines, stage, place));
            }
            None => warnings.warn("an address has too many connections (server.max_connections_per_address)", None),
        }
    }
}

/// The next connection. When the system has no file descriptor or no memory for it, trying again at once would only
/// burn the time in which it could get some.
async fn next(listener: &Listener, warnings: &mut Warnings) -> (Connection, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // The client is gone already.
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) => {}
            Err(error) => {
                warnings.warn("the system gives no connection", Some(&error));
                sleep(BREATH).await;
            }
        }
    }
}

/// Tells operators what strangers can cause at will, seldom enough that the log does not drown in it.
#[derive(Default)]
struct Warnings {
    last: Vec<(&'static str, Instant)>,
}

impl Warnings {
    fn warn(&mut self, what: &'static str, error: Option<&io::Error>) {
        self.last.retain(|(_, told)| told.elapsed() < WARNING_INTERVAL);
        if !self.last.iter().any(|(told, _)| *told == what) {
            self.last.push((what, Instant::now()));
            tracing::warn!(error = error.map(tracing::field::display), "{what}");
        }
    }
}
