//! The subscriptions of one WebSocket connection.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use async_graphql::{Response as GraphQlResponse, ServerError};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

use super::close::CloseReason;
use super::message::{self, ClientMessage};
use super::transport::Transport;
use crate::account::caller::request_auth::RequestAuth;
use crate::app::App;
use crate::error::{Error, TokenError};
use crate::graphql::error::{ResolverError, finalize_errors, without_location};
use crate::http::graphql_endpoint::batch::GraphqlHandler;
use crate::http::graphql_endpoint::parameters::Parameters;

/// Capacity of the queue of outgoing responses.
const OUTBOUND_CAPACITY: usize = 4;

/// A message of a subscription; `generation` distinguishes it from an earlier one with the same id.
pub(super) struct Outbound {
    id: String,
    generation: u64,
    payload: Payload,
}

enum Payload {
    Next(GraphQlResponse),
    Rejected(Vec<ServerError>),
    Ended(Error),
}

/// A running subscription; dropping it aborts the task.
struct RunningSubscription {
    generation: u64,
    task: AbortHandle,
}

impl Drop for RunningSubscription {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The subscriptions of a connection.
pub(super) struct Subscriptions {
    app: App,
    handler: Arc<GraphqlHandler>,
    auth: RequestAuth,
    tasks: JoinSet<()>,
    active: HashMap<String, RunningSubscription>,
    last_generation: u64,
    sender: mpsc::Sender<Outbound>,
}

impl Subscriptions {
    /// No subscriptions, and the receiver of their messages.
    pub fn new(app: App, handler: Arc<GraphqlHandler>, auth: RequestAuth) -> (Self, mpsc::Receiver<Outbound>) {
        let (sender, outbound) = mpsc::channel(OUTBOUND_CAPACITY);
        let (tasks, active) = (JoinSet::new(), HashMap::new());
        (Self { app, handler, auth, tasks, active, last_generation: 0, sender }, outbound)
    }

    /// Whether no subscription is active.
    pub fn is_empty(&self) -> bool {
        self.active.is_empty()
    }

    /// Waits until the task of a subscription has ended; `None` if none is running.
    ///
    /// # Errors
    /// The reason to close, if the task panicked.
    pub async fn join_next(&mut self) -> Option<Result<(), CloseReason>> {
        self.tasks.join_next().await.map(|finished| match finished {
            Err(error) if error.is_panic() => Err(CloseReason::TryAgain),
            // Subscriptions that the client completed were aborted.
            Ok(()) | Err(_) => Ok(()),
        })
    }

    /// Handles a message of the client.
    ///
    /// # Errors
    /// The reason to close, if the message breaks the protocol or the response cannot be sent.
    pub async fn handle(&mut self, transport: &mut Transport, message: ClientMessage) -> Result<(), CloseReason> {
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
                .send_text(message::error(entry.key(), &errors(Error::TooManySubscriptions { max: limit })))
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

    /// Sends a subscription's message, unless the client has completed it.
    ///
    /// # Errors
    /// The reason to close.
    pub async fn forward(
        &mut self,
        transport: &mut Transport,
        Outbound { id, generation, payload }: Outbound,
    ) -> Result<(), CloseReason> {
        if self.active.get(&id).is_none_or(|running| running.generation != generation) {
            return Ok(());
        }
        let text = match payload {
            Payload::Next(response) => return transport.send_text(message::next(&id, &response)).await,
            Payload::Rejected(errors) => message::error(&id, &errors),
            // The subscription has already sent the final event.
            Payload::Ended(Error::Unauthenticated(TokenError::SessionEnded)) => message::complete(&id),
            Payload::Ended(error @ (Error::Forbidden | Error::PasswordChangeRequired)) => {
                message::error(&id, &errors(error))
            }
            Payload::Ended(error) => {
                error.log(&self.auth.context.request_id);
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
