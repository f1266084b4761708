//! One socket from its greeting to its end.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Response as GraphQlResponse, ServerError};
use axum::extract::ws::WebSocket;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

use super::close::CloseReason;
use super::message::{self, ClientMessage};
use super::transport::Transport;
use crate::account::caller::requester::{Credentials, RequestAuth};
use crate::app::App;
use crate::error::{Error, TokenError};
use crate::graphql::error::{ResolverError, finalize_errors, without_location};
use crate::http::graphql_endpoint::{GraphqlHandler, Parameters, log_stream_error};
use crate::http::request::authorization;
use crate::http::server::Shutdown;

/// How long subscriptions have to tell that the session is over, before the socket is closed for that: a part of the
/// second within which it has to be.
const FINAL_EVENT_GRACE: Duration = Duration::from_millis(400);

/// Answers that wait for their turn on the socket.
const OUTBOUND_CAPACITY: usize = 4;

/// Speaks with the client until one of the two has enough.
pub(super) async fn run(
    socket: WebSocket,
    app: App,
    handler: Arc<GraphqlHandler>,
    auth: RequestAuth,
    mut shutdown: Shutdown,
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
            log_stream_error(&error, &request_id);
            return CloseReason::of(&error);
        }
    };
    let Some(_slot) = app.stream_quota.acquire_websocket(monitor.user_id()) else { return CloseReason::TooMany };
    if let Err(close) = transport.send_text(message::ack()).await {
        return close;
    }
    let (sender, mut outbound) = mpsc::channel(OUTBOUND_CAPACITY);
    let mut subscriptions = Subscriptions {
        app: app.clone(),
        handler: Arc::clone(handler),
        auth,
        tasks: JoinSet::new(),
        active: HashMap::new(),
        last_generation: 0,
        sender,
    };
    let deadlines = &app.config.server.timeouts;
    let mut session_ended = pin!(monitor.ended());
    let mut closing: Option<(Instant, CloseReason)> = None;
    let (mut received_at, mut is_ping_pending, mut last_used_at) = (Instant::now(), false, Instant::now());
    loop {
        if !subscriptions.active.is_empty() {
            last_used_at = Instant::now();
        }
        if let Some((_, close)) = closing
            && subscriptions.active.is_empty()
        {
            return close;
        }
        let ping_at = received_at + if is_ping_pending { deadlines.ping * 2 } else { deadlines.ping };
        let step = tokio::select! {
            biased;
            error = &mut session_ended, if closing.is_none() => {
                log_stream_error(&error, &request_id);
                match CloseReason::of(&error) {
                    // The event that says so shall come first.
                    CloseReason::Unauthorized => {
                        closing = Some((Instant::now() + FINAL_EVENT_GRACE, CloseReason::Unauthorized));
                        Ok(())
                    }
                    close => Err(close),
                }
            }
            close = grace_over(closing) => Err(close),
            Some(told) = outbound.recv() => subscriptions.forward(transport, told).await,
            Some(finished) = subscriptions.tasks.join_next() => match finished {
                Err(error) if error.is_panic() => Err(CloseReason::TryAgain),
                // Those that the client has ended were aborted.
                Ok(()) | Err(_) => Ok(()),
            },
            received = transport.recv() => {
                (received_at, is_ping_pending) = (Instant::now(), false);
                match received {
                    Ok(Some(heard)) => subscriptions.handle(transport, heard).await,
                    Ok(None) => Ok(()),
                    Err(close) => Err(close),
                }
            }
            () = sleep_until(ping_at) => {
                if is_ping_pending { Err(CloseReason::Gone) } else { is_ping_pending = true; transport.ping().await }
            }
            () = sleep_until(last_used_at + deadlines.idle), if subscriptions.active.is_empty() => Err(CloseReason::Idle),
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

/// Waits for the client to introduce itself, and gives what it says.
async fn receive_init(transport: &mut Transport) -> Result<Value, CloseReason> {
    loop {
        match transport.recv().await? {
            Some(ClientMessage::Init(payload)) => return Ok(payload),
            Some(ClientMessage::Ping(payload)) => transport.send_text(message::pong(payload)).await?,
            Some(ClientMessage::Pong) | None => {}
            Some(ClientMessage::Subscribe(..) | ClientMessage::Complete(_)) => return Err(CloseReason::Unauthorized),
        }
    }
}

/// Takes the credentials of the greeting for those of the visitor, unless there are none in it. Browsers cannot send a
/// header with a WebSocket.
fn take_credentials(auth: &mut RequestAuth, payload: &Value) {
    let credentials = match authorization_member(payload) {
        None => Credentials::None,
        Some(Value::String(text)) => authorization::parse(text),
        Some(_) => Credentials::Malformed,
    };
    // `token` is the token alone.
    let credentials = match (credentials, payload.get("token")) {
        (Credentials::None, Some(Value::String(text))) if text.contains(' ') => authorization::parse(text),
        (Credentials::None, Some(Value::String(text))) => authorization::parse(&format!("Bearer {text}")),
        (Credentials::None, Some(token)) if !token.is_null() => Credentials::Malformed,
        (credentials, _) => credentials,
    };
    if !matches!(credentials, Credentials::None) {
        auth.credentials = credentials;
    }
}

/// The value of an `Authorization` header in the greeting: a member of it, as graphql-ws shows, or of its `headers`, as
/// Apollo's and urql's older examples do.
fn authorization_member(payload: &Value) -> Option<&Value> {
    let headers = payload.get("headers");
    let members = [Some(payload), headers].into_iter().flatten();
    let mut values = members.flat_map(|one| [one.get("authorization"), one.get("Authorization")]).flatten();
    values.find(|value| !value.is_null())
}

/// What a subscription has to say; `number` tells it from an earlier one with the same id.
struct Outbound {
    id: String,
    generation: u64,
    payload: Payload,
}

enum Payload {
    Next(GraphQlResponse),
    Rejected(Vec<ServerError>),
    Ended(Error),
}

/// Ends a subscription when it is dropped.
struct RunningSubscription {
    generation: u64,
    task: AbortHandle,
}

impl Drop for RunningSubscription {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The subscriptions of a socket.
struct Subscriptions {
    app: App,
    handler: Arc<GraphqlHandler>,
    auth: RequestAuth,
    tasks: JoinSet<()>,
    active: HashMap<String, RunningSubscription>,
    last_generation: u64,
    sender: mpsc::Sender<Outbound>,
}

impl Subscriptions {
    async fn handle(&mut self, transport: &mut Transport, message: ClientMessage) -> Result<(), CloseReason> {
        match message {
            ClientMessage::Init(_) => Err(CloseReason::Again),
            ClientMessage::Ping(payload) => transport.send_text(message::pong(payload)).await,
            ClientMessage::Pong => Ok(()),
            ClientMessage::Complete(id) => {
                self.active.remove(&id);
                Ok(())
            }
            ClientMessage::Subscribe(id, parameters) => self.subscribe(transport, id, *parameters).await,
        }
    }

    async fn subscribe(
        &mut self,
        transport: &mut Transport,
        id: String,
        parameters: Result<Parameters, String>,
    ) -> Result<(), CloseReason> {
        let limit = self.app.config.graphql.max_subscriptions_per_user;
        let is_full = self.active.len() >= limit;
        let Entry::Vacant(entry) = self.active.entry(id) else { return Err(CloseReason::Duplicate) };
        let Ok(parameters) = parameters else { return Err(CloseReason::BadMessage) };
        if is_full {
            return transport
                .send_text(message::error(entry.key(), &errors(Error::TooManySubscriptions { most: limit })))
                .await;
        }
        self.last_generation += 1;
        let (generation, id, sender) = (self.last_generation, entry.key().clone(), self.sender.clone());
        let (app, handler, auth) = (self.app.clone(), Arc::clone(&self.handler), self.auth.clone());
        let task = self.tasks.spawn(async move {
            let send = |payload| sender.send(Outbound { id: id.clone(), generation, payload });
            let request_id = auth.context.request_id.clone();
            let final_payload = match handler.subscribe(&app, auth, parameters).await {
                Ok(mut subscription) => loop {
                    match subscription.next().await {
                        Ok(mut response) => {
                            finalize_errors(&mut response, &request_id);
                            if send(Payload::Next(response)).await.is_err() {
                                return;
                            }
                        }
                        Err(error) => break Payload::Ended(error),
                    }
                },
                Err(response) => Payload::Rejected(response.errors),
            };
            send(final_payload).await.ok();
        });
        entry.insert(RunningSubscription { generation, task });
        Ok(())
    }

    /// Says what a subscription has to say, unless the client has ended it.
    async fn forward(
        &mut self,
        transport: &mut Transport,
        Outbound { id, generation, payload }: Outbound,
    ) -> Result<(), CloseReason> {
        if self.active.get(&id).is_none_or(|running| running.generation != generation) {
            return Ok(());
        }
        let text = match payload {
            Payload::Next(response) => return transport.send_text(message::next(&id, &response)).await,
            Payload::Rejected(refusals) => message::error(&id, &refusals),
            // It was told as the last event.
            Payload::Ended(Error::Unauthenticated(TokenError::SessionEnded)) => message::complete(&id),
            Payload::Ended(error @ (Error::Forbidden | Error::PasswordChangeRequired)) => {
                message::error(&id, &errors(error))
            }
            Payload::Ended(error) => {
                log_stream_error(&error, &self.auth.context.request_id);
                return Err(CloseReason::of(&error));
            }
        };
        self.active.remove(&id);
        transport.send_text(text).await
    }
}

fn errors(error: Error) -> Vec<ServerError> {
    vec![without_location(ResolverError::from(error))]
}
