//! One WebSocket connection, from `connection_init` to close.

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::WebSocket;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use super::close::CloseReason;
use super::connection_init::{receive_init, take_credentials};
use super::message;
use super::subscriptions::{Outbound, Subscriptions};
use super::transport::Transport;
use crate::account::caller::request_auth::RequestAuth;
use crate::account::caller::session_monitor::SessionMonitor;
use crate::app::App;
use crate::config::Timeouts;
use crate::http::graphql_endpoint::batch::GraphqlHandler;
use crate::http::server::Shutdown;

/// How long subscriptions may take to send the final event of an ended session, before the socket is closed: a part of
/// the promised second.
const FINAL_EVENT_GRACE: Duration = Duration::from_millis(400);

/// Serves the connection until the client, an error or shutdown ends it.
pub(super) async fn run(
    socket: WebSocket,
    app: App,
    handler: Arc<GraphqlHandler>,
    auth: RequestAuth,
    shutdown: Shutdown,
) {
    let started_at = Instant::now();
    let request_id = auth.context.request_id.clone();
    let mut transport = Transport::new(socket, app.config.server.timeouts.write);
    let close = tokio::select! {
        biased;
        () = shutdown.started() => CloseReason::Stopping,
        close = serve(&mut transport, &app, &handler, auth) => close,
    };
    tracing::info!(
        request.id = request_id,
        end = ?close,
        duration_ms = started_at.elapsed().as_secs_f64() * 1_000.0,
        "socket closed"
    );
    transport.close(close).await;
}

async fn serve(
    transport: &mut Transport,
    app: &App,
    handler: &Arc<GraphqlHandler>,
    mut auth: RequestAuth,
) -> CloseReason {
    let init =
        timeout(app.config.server.timeouts.init, receive_init(transport)).await.unwrap_or(Err(CloseReason::Late));
    match init {
        Ok(payload) => take_credentials(&mut auth, &payload),
        Err(close) => return close,
    }
    let request_id = auth.context.request_id.clone();
    let mut monitor = match auth.clone().monitor(app).await {
        Ok(monitor) => monitor,
        Err(error) => {
            error.log(&request_id);
            return CloseReason::of(&error);
        }
    };
    let Some(_slot) = app.stream_quota.acquire_websocket(monitor.user_id()) else { return CloseReason::TooMany };
    if let Err(close) = transport.send_text(message::ack()).await {
        return close;
    }
    let (mut subscriptions, outbound) = Subscriptions::new(app.clone(), Arc::clone(handler), auth);
    exchange(transport, &mut subscriptions, outbound, &mut monitor, &app.config.server.timeouts, &request_id).await
}

/// Exchanges messages until one side closes the connection.
async fn exchange(
    transport: &mut Transport,
    subscriptions: &mut Subscriptions,
    mut outbound: mpsc::Receiver<Outbound>,
    monitor: &mut SessionMonitor,
    timeouts: &Timeouts,
    request_id: &str,
) -> CloseReason {
    let mut session_ended = pin!(monitor.ended());
    let mut closing: Option<(Instant, CloseReason)> = None;
    let (mut received_at, mut is_ping_pending, mut last_used_at) = (Instant::now(), false, Instant::now());
    loop {
        if !subscriptions.is_empty() {
            last_used_at = Instant::now();
        }
        if let Some((_, close)) = closing
            && subscriptions.is_empty()
        {
            return close;
        }
        let ping_at = received_at + if is_ping_pending { timeouts.ping * 2 } else { timeouts.ping };
        let step = tokio::select! {
            biased;
            error = &mut session_ended, if closing.is_none() => {
                error.log(request_id);
                match CloseReason::of(&error) {
                    // The subscriptions send their final event first.
                    CloseReason::Unauthorized => {
                        closing = Some((Instant::now() + FINAL_EVENT_GRACE, CloseReason::Unauthorized));
                        Ok(())
                    }
                    close => Err(close),
                }
            }
            close = grace_over(closing) => Err(close),
            Some(message) = outbound.recv() => subscriptions.forward(transport, message).await,
            Some(finished) = subscriptions.join_next() => finished,
            received = transport.recv() => {
                (received_at, is_ping_pending) = (Instant::now(), false);
                match received {
                    Ok(Some(message)) => subscriptions.handle(transport, message).await,
                    Ok(None) => Ok(()),
                    Err(close) => Err(close),
                }
            }
            () = sleep_until(ping_at) => {
                if is_ping_pending { Err(CloseReason::Gone) } else { is_ping_pending = true; transport.ping().await }
            }
            () = sleep_until(last_used_at + timeouts.idle), if subscriptions.is_empty() => Err(CloseReason::Idle),
        };
        if let Err(close) = step {
            return close;
        }
    }
}

async fn grace_over(closing: Option<(Instant, CloseReason)>) -> CloseReason {
    match closing {
        Some((until, close)) => {
            sleep_until(until).await;
            close
        }
        None => pending().await,
    }
}
