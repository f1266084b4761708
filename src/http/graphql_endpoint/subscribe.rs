//! Starts subscriptions, over a WebSocket or as server-sent events.

use async_graphql::Response as GraphQlResponse;

use super::batch::{GraphqlHandler, PreparedRequest, refuse_all};
use super::operation::describe;
use super::parameters::Parameters;
use super::response::error_response;
use crate::account::caller::request_auth::RequestAuth;
use crate::app::App;
use crate::graphql::Subscription;
use crate::graphql::error::finalize_errors;
use crate::http::middleware::access_log::OperationKind;

impl GraphqlHandler {
    /// Starts a subscription that was requested over a WebSocket.
    ///
    /// # Errors
    /// The response that rejects the subscription.
    pub(super) async fn subscribe(
        &self,
        app: &App,
        auth: RequestAuth,
        parameters: Parameters,
    ) -> Result<Subscription, GraphQlResponse> {
        let (mut request, hash) = self.parse(parameters).map_err(|error| error.to_graphql())??;
        let parsed = self.executor.parse_documents(vec![&mut request], &app.config.graphql.limits);
        let parsed = parsed.map_err(|error| first(refuse_all(error, 1, &auth.context.request_id)))?;
        let document = parsed.into_iter().next().ok_or_else(GraphQlResponse::default)?;
        let kind = describe(&document, request.operation_name.as_deref()).kind;
        if matches!(kind, OperationKind::Query | OperationKind::Mutation) {
            return Err(error_response(
                "send queries and mutations by POST: this connection runs subscriptions only",
                "BAD_REQUEST",
            ));
        }
        if let Some(hash) = hash
            && kind == OperationKind::Subscription
        {
            self.persisted_queries.insert(hash, &request.query);
        }
        self.start(app, auth, Ok((request, document))).await
    }

    /// Starts the subscription of a prepared request.
    ///
    /// # Errors
    /// The response that rejects the subscription.
    pub(super) async fn start(
        &self,
        app: &App,
        auth: RequestAuth,
        prepared: PreparedRequest,
    ) -> Result<Subscription, GraphQlResponse> {
        let request_id = auth.context.request_id.clone();
        let (request, document) = prepared?;
        let monitor = match auth.monitor(app).await {
            Ok(monitor) => monitor,
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
