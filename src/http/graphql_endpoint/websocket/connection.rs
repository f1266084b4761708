//! One WebSocket connection, from `connection_init` to close: the library's message loop, and this server's limits
//! around it.

use std::pin::{Pin, pin};
use std::sync::Arc;

use async_graphql::futures_util::future::ready;
use async_graphql::http::{ClientMessage as LoopMessage, WebSocket as MessageLoop, WebSocketProtocols, WsMessage};
use axum::extract::ws::WebSocket;
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use super::close::CloseReason;
use super::connection_init::{Session, open_session};
use super::exchange::{Exchange, receive};
use super::message::ClientMessage;
use super::subscriptions::SubscriptionExecutor;
use super::transport::Transport;
use crate::account::caller::request_auth::RequestAuth;
use crate::app::App;
use crate::http::graphql_endpoint::batch::GraphqlHandler;
use crate::http::server::Shutdown;

/// Capacity of the queue of messages that bypass the loop.
const OUTBOUND_CAPACITY: usize = 4;

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
        close = Box::pin(serve(&mut transport, &app, handler, auth)) => close,
    };
    tracing::info!(
        request.id = request_id,
        end = ?close,
        duration_ms = started_at.elapsed().as_secs_f64() * 1_000.0,
        "socket closed"
    );
    transport.close(close).await;
}

async fn serve(transport: &mut Transport, app: &App, handler: Arc<GraphqlHandler>, auth: RequestAuth) -> CloseReason {
    let request_id = auth.context.request_id.clone();
    let (outbound_sender, outbound) = mpsc::channel(OUTBOUND_CAPACITY);
    let (opened_sender, opened) = oneshot::channel();
    // One message at a time: the client waits while the loop is busy.
    let (to_loop, from_client) = mpsc::channel(1);
    let messages = stream::unfold(from_client, async |mut from_client: mpsc::Receiver<LoopMessage>| {
        from_client.recv().await.map(|message| (Ok(message), from_client))
    });
    let executor = SubscriptionExecutor { app: app.clone(), handler, outbound: outbound_sender };
    let opening_app = app.clone();
    let message_loop = MessageLoop::from_message_stream(executor, messages, WebSocketProtocols::GraphQLWS)
        .on_connection_init(move |payload| open_session(opening_app, auth, payload, opened_sender))
        .on_ping(|_, payload| ready(Ok(payload)));
    let mut message_loop = pin!(message_loop);
    let init_deadline = Instant::now() + app.config.server.timeouts.init;
    let opening = handshake(transport, message_loop.as_mut(), &to_loop, opened, init_deadline);
    // The slot is held until the connection ends.
    let Session { mut monitor, slot: _slot } = match opening.await {
        Ok(session) => session,
        Err(close) => return close,
    };
    let mut exchange = Exchange {
        transport,
        to_loop: &to_loop,
        outbound,
        max_subscriptions: app.config.graphql.max_subscriptions_per_user,
        timeouts: &app.config.server.timeouts,
        request_id: &request_id,
    };
    exchange.run(message_loop, &mut monitor).await
}

/// Exchanges messages until the caller is authenticated and the client has the acknowledgement.
async fn handshake(
    transport: &mut Transport,
    mut message_loop: Pin<&mut impl Stream<Item = WsMessage>>,
    to_loop: &mpsc::Sender<LoopMessage>,
    mut opened: oneshot::Receiver<Result<Session, CloseReason>>,
    init_deadline: Instant,
) -> Result<Session, CloseReason> {
    // The deadline covers the writes, too, and neither a flood of pings nor an unread pong delays it.
    let init = forward_init(transport, message_loop.as_mut(), to_loop);
    timeout_at(init_deadline, init).await.unwrap_or(Err(CloseReason::Late))?;
    loop {
        let message = message_loop.next().await;
        match (opened.try_recv(), message) {
            (Ok(Err(close)), _) => return Err(close),
            (Ok(Ok(session)), Some(WsMessage::Text(ack))) => {
                transport.send_text(ack).await?;
                return Ok(session);
            }
            (Err(_), Some(WsMessage::Text(pong))) => transport.send_text(pong).await?,
            (_, Some(WsMessage::Close(..)) | None) => return Err(CloseReason::TryAgain),
        }
    }
}

/// Exchanges pings and pongs until the client sends `connection_init`, and passes that to the loop.
async fn forward_init(
    transport: &mut Transport,
    mut message_loop: Pin<&mut impl Stream<Item = WsMessage>>,
    to_loop: &mpsc::Sender<LoopMessage>,
) -> Result<(), CloseReason> {
    loop {
        tokio::select! {
            biased;
            message = message_loop.next() => match message {
                Some(WsMessage::Text(pong)) => transport.send_text(pong).await?,
                Some(WsMessage::Close(..)) | None => return Err(CloseReason::TryAgain),
            },
            received = receive(transport, to_loop) => {
                let (permit, message) = received?;
                match message {
                    Some(ClientMessage::Init(payload)) => {
                        permit.send(LoopMessage::ConnectionInit { payload: Some(payload) });
                        return Ok(());
                    }
                    Some(ClientMessage::Ping(payload)) => permit.send(LoopMessage::Ping { payload }),
                    Some(ClientMessage::Pong) | None => {}
                    Some(ClientMessage::Subscribe(..) | ClientMessage::Complete(_)) => {
                        return Err(CloseReason::Unauthorized);
                    }
                }
            }
        }
    }
}
