//! The accept loop: serves until it is told to stop, then lets requests in flight finish within a limit.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// Serves `router` on `listener` until `stop` resolves; then takes no more connections and waits at most `drain` for
/// requests in flight.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
    drain: Duration,
) -> std::io::Result<()> {
    let (stopping, stopped) = oneshot::channel();
    let stop = async move {
        stop.await;
        // The other end is gone only when the server is.
        stopping.send(()).ok();
    };
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service).with_graceful_shutdown(stop);
    tokio::select! {
        ended = async { server.await } => ended,
        () = async { if stopped.await.is_ok() { tokio::time::sleep(drain).await } } => {
            tracing::warn!(seconds = drain.as_secs(), "requests in flight did not finish in time");
            Ok(())
        }
    }
}
