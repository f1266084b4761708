//! How a subscription begins, by whichever way it was asked for.

use async_graphql::Response as GraphQlResponse;

use super::operation::described;
use super::{Endpoint, Parameters, Prepared, SUBSCRIPTION, raised, refused};
use crate::account::requester::Visitor;
use crate::app::App;
use crate::error::Error;
use crate::graphql::Subscription;
use crate::graphql::error::polish;

impl Endpoint {
    /// Begins what was asked for over a socket.
    ///
    /// # Errors
    /// The answer that refuses it.
    pub async fn subscribe(
        &self,
        app: &App,
        visitor: Visitor,
        parameters: Parameters,
    ) -> Result<Subscription, GraphQlResponse> {
        let (mut request, hash) = self.entry(parameters).map_err(|refusal| refusal.response())??;
        let read = self.face.read(vec![&mut request], &app.config.graphql.limits);
        let read = read.map_err(|error| only(refused(error, 1, &visitor.client.request_id)))?;
        let document = read.into_iter().next().ok_or_else(GraphQlResponse::default)?;
        let kind = described(&document, request.operation_name.as_deref()).kind;
        if matches!(kind, "query" | "mutation") {
            return Err(raised("send queries and mutations by POST: only subscriptions run here", "BAD_REQUEST"));
        }
        if let Some(hash) = hash
            && kind == SUBSCRIPTION
        {
            self.persisted.keep(hash, &request.query);
        }
        self.begin(app, visitor, Ok((request, document))).await
    }

    /// Begins the subscription of a request that was found within the limits.
    ///
    /// # Errors
    /// The answer that refuses it.
    pub(super) async fn begin(
        &self,
        app: &App,
        visitor: Visitor,
        prepared: Prepared,
    ) -> Result<Subscription, GraphQlResponse> {
        let request_id = visitor.client.request_id.clone();
        let (request, document) = prepared?;
        let vigil = match visitor.stay(app).await {
            Ok(vigil) => vigil,
            Err(error) => return Err(only(refused(error, 1, &request_id))),
        };
        self.face.subscribe(request, document, app, vigil).await.map_err(|mut response| {
            polish(&mut response, &request_id);
            response
        })
    }
}

fn only(responses: Vec<GraphQlResponse>) -> GraphQlResponse {
    responses.into_iter().next().unwrap_or_default()
}

/// Writes down why a stream ended, if that is the server's own affair; the client is told no more than that it may come
/// again.
pub(in crate::http) fn note_end(error: &Error, request_id: &str) {
    if let Error::Internal(cause) | Error::StorageUnavailable(cause) = error {
        tracing::error!(request.id = request_id, cause = format!("{cause:#}"), "a subscription ended: {error}");
    }
}
