//! The executor that runs the subscriptions of one WebSocket connection in the library's message loop.

use std::any::{Any, TypeId};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_graphql::futures_util::stream::BoxStream;
use async_graphql::{Data, Executor, Request, Response as GraphQlResponse, ServerError};
use futures_util::{FutureExt, StreamExt, future, stream};
use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::active::ActiveSubscription;
use super::close::CloseReason;
use super::message;
use crate::account::caller::request_auth::RequestAuth;
use crate::app::App;
use crate::error::{Error, TokenError};
use crate::graphql::Subscription;
use crate::graphql::error::{ResolverError, finalize_errors, without_location};
use crate::http::graphql_endpoint::batch::GraphqlHandler;
use crate::http::graphql_endpoint::parameters::Parameters;
use crate::http::graphql_endpoint::response::is_not_executed;

/// What a subscription sends past the library's loop, which has neither `error` messages nor close codes.
pub(super) enum Outbound {
    Text(String),
    Close(CloseReason),
}

/// A subscription on its way through the library's loop to [`SubscriptionExecutor::execute_stream`].
struct Requested {
    active: ActiveSubscription,
    parameters: Parameters,
}

/// The library's request for a subscription: it carries the parameters, which this server has parsed strictly.
pub(super) fn library_request(active: ActiveSubscription, parameters: Parameters) -> Request {
    let mut request = Request::new("");
    request.data.insert(Mutex::new(Some(Requested { active, parameters })));
    request
}

fn find<T: Any>(data: &Data) -> Option<&T> {
    data.get(&TypeId::of::<T>())?.downcast_ref()
}

/// Runs the subscriptions of one connection, for the [`RequestAuth`] in its session data.
#[derive(Clone)]
pub(super) struct SubscriptionExecutor {
    /// The service.
    pub app: App,
    /// Parses and starts operations.
    pub handler: Arc<GraphqlHandler>,
    /// Receives what the loop cannot send.
    pub outbound: mpsc::Sender<Outbound>,
}

impl Executor for SubscriptionExecutor {
    /// Not called by the message loop, which runs every operation as a stream.
    fn execute(&self, _: Request) -> impl Future<Output = GraphQlResponse> + Send {
        future::ready(GraphQlResponse::default())
    }

    fn execute_stream(&self, request: Request, session: Option<Arc<Data>>) -> BoxStream<'static, GraphQlResponse> {
        let requested = find::<Mutex<Option<Requested>>>(&request.data).and_then(|requested| requested.lock().take());
        let auth = session.as_deref().and_then(find::<RequestAuth>).cloned();
        let (Some(Requested { active, parameters }), Some(auth)) = (requested, auth) else {
            return stream::empty().boxed();
        };
        let run = Run { executor: self.clone(), auth, id: active.id().to_owned() };
        let outbound = self.outbound.clone();
        let events = async move {
            let subscription = run.start(parameters).await;
            stream::unfold((run, subscription), async |(run, subscription)| {
                let mut subscription = subscription?;
                let event = run.next_event(&mut subscription).await?;
                Some((event, (run, Some(subscription))))
            })
        };
        let events = AssertUnwindSafe(events.flatten_stream()).catch_unwind().filter_map(move |event| {
            // The stream owns it: the subscription is active until the stream is dropped.
            let _ = &active;
            let outbound = outbound.clone();
            async move {
                if event.is_err() {
                    outbound.send(Outbound::Close(CloseReason::TryAgain)).await.ok();
                }
                event.ok()
            }
        });
        events.boxed()
    }
}

/// One execution of a subscription.
struct Run {
    executor: SubscriptionExecutor,
    auth: RequestAuth,
    id: String,
}

impl Run {
    async fn send(&self, outbound: Outbound) {
        // The receiver lives as long as the connection.
        self.executor.outbound.send(outbound).await.ok();
    }

    /// Starts the subscription; `None` if it is refused, which has then been sent.
    async fn start(&self, parameters: Parameters) -> Option<Subscription> {
        let SubscriptionExecutor { app, handler, .. } = &self.executor;
        match handler.subscribe(app, self.auth.clone(), parameters).await {
            Ok(subscription) => Some(subscription),
            Err(response) => {
                self.send(Outbound::Text(message::error(&self.id, &response.errors))).await;
                None
            }
        }
    }

    /// The next event that has data; `None` at the end of the subscription, which has then been sent.
    async fn next_event(&self, subscription: &mut Subscription) -> Option<GraphQlResponse> {
        let request_id = &self.auth.context.request_id;
        loop {
            match subscription.next().await {
                Ok(mut response) => {
                    finalize_errors(&mut response, request_id);
                    if !is_not_executed(&response) {
                        return Some(response);
                    }
                    // The library would add `"data": null`.
                    self.send(Outbound::Text(message::next(&self.id, &response))).await;
                }
                Err(error) => {
                    self.send(end_of(error, &self.id, request_id)).await;
                    return None;
                }
            }
        }
    }
}

/// What the client receives at the end of a subscription.
fn end_of(error: Error, id: &str, request_id: &str) -> Outbound {
    match error {
        // The subscription has already sent the final event.
        Error::Unauthenticated(TokenError::SessionEnded) => Outbound::Text(message::complete(id)),
        Error::Forbidden | Error::PasswordChangeRequired => Outbound::Text(message::error(id, &errors(error))),
        error => {
            error.log(request_id);
            Outbound::Close(CloseReason::of(&error))
        }
    }
}

/// The errors of a message that refuses or ends a subscription.
pub(super) fn errors(error: Error) -> Vec<ServerError> {
    vec![without_location(ResolverError::from(error))]
}
