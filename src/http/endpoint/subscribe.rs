//! How a subscription begins, by whichever way it was asked for.

use async_graphql::{Request, Response as GraphQlResponse};

use super::operation::described;
use super::{Endpoint, Entry, Parameters, SUBSCRIPTION, raised, refused};
use crate::account::requester::Visitor;
use crate::app::App;
use crate::error::Error;
use crate::graphql::error::polish;
use crate::graphql::{Subscription, limits};

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
        let mut entry = self.entry(parameters).map_err(|refusal| refusal.response())?;
        if let Ok((request, hash)) = &mut entry {
            limits::check(request, &app.config.graphql.limits)
                .map_err(|error| only(refused(error, 1, &visitor.client.request_id)))?;
            let kind = described(request).kind;
            if matches!(kind, "query" | "mutation") {
                return Err(raised("send queries and mutations by POST: only subscriptions run here", "BAD_REQUEST"));
            }
            if let Some(hash) = hash
                && kind == SUBSCRIPTION
            {
                self.persisted.keep(*hash, &request.query);
            }
        }
        self.begin(app, visitor, entry).await
    }

    /// Begins the subscription of a request that was found within the limits.
    ///
    /// # Errors
    /// The answer that refuses it.
    pub(super) async fn begin(
        &self,
        app: &App,
        visitor: Visitor,
        entry: Entry,
    ) -> Result<Subscription, GraphQlResponse> {
        let request_id = visitor.client.request_id.clone();
        let (request, _): (Request, _) = entry?;
        let vigil = match visitor.stay(app).await {
            Ok(vigil) => vigil,
            Err(error) => return Err(only(refused(error, 1, &request_id))),
        };
        self.face.subscribe(request, app, vigil).await.map_err(|mut response| {
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
