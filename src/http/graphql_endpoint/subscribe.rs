//! How a subscription begins, by whichever way it was asked for.

use async_graphql::Response as GraphQlResponse;

use super::operation::describe;
use super::{GraphqlHandler, Parameters, PreparedRequest, SUBSCRIPTION, error_response, refuse_all};
use crate::account::caller::requester::RequestAuth;
use crate::app::App;
use crate::error::Error;
use crate::graphql::Subscription;
use crate::graphql::error::finalize_errors;

impl GraphqlHandler {
    /// Begins what was asked for over a socket.
    ///
    /// # Errors
    /// The answer that refuses it.
    pub async fn subscribe(
        &self,
        app: &App,
        auth: RequestAuth,
        parameters: Parameters,
    ) -> Result<Subscription, GraphQlResponse> {
        let (mut request, hash) = self.parse(parameters).map_err(|refusal| refusal.to_graphql())??;
        let read = self.executor.parse_documents(vec![&mut request], &app.config.graphql.limits);
        let read = read.map_err(|error| first(refuse_all(error, 1, &auth.context.request_id)))?;
        let document = read.into_iter().next().ok_or_else(GraphQlResponse::default)?;
        let kind = describe(&document, request.operation_name.as_deref()).kind;
        if matches!(kind, "query" | "mutation") {
            return Err(error_response(
                "send queries and mutations by POST: only subscriptions run here",
                "BAD_REQUEST",
            ));
        }
        if let Some(hash) = hash
            && kind == SUBSCRIPTION
        {
            self.persisted_queries.insert(hash, &request.query);
        }
        self.start(app, auth, Ok((request, document))).await
    }

    /// Begins the subscription of a request that was found within the limits.
    ///
    /// # Errors
    /// The answer that refuses it.
    pub(super) async fn start(
        &self,
        app: &App,
        auth: RequestAuth,
        prepared: PreparedRequest,
    ) -> Result<Subscription, GraphQlResponse> {
        let request_id = auth.context.request_id.clone();
        let (request, document) = prepared?;
        let monitor = match auth.monitor(app).await {
            Ok(vigil) => vigil,
            Err(error) => return Err(first(refuse_all(error, 1, &request_id))),
        };
        self.executor.subscribe(request, document, app, monitor).await.map_err(|mut response| {
            finalize_errors(&mut response, &request_id);
            response
        })
    }
}

fn first(responses: Vec<GraphQlResponse>) -> GraphQlResponse {
    responses.into_iter().next().unwrap_or_default()
}

/// Writes down why a stream ended, if that is the server's own affair; the client is told no more than that it may come
/// again.
pub(in crate::http) fn log_stream_error(error: &Error, request_id: &str) {
    if let Error::Internal(cause) | Error::StorageUnavailable(cause) = error {
        tracing::error!(request.id = request_id, cause = format!("{cause:#}"), "a subscription ended: {error}");
    }
}
