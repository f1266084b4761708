//! Subscriptions as server-sent events, in the "distinct connections" mode of the GraphQL-over-SSE protocol.
//!
//! A `next` event carries one response. A `complete` event means: do not reconnect. If only the token
//! expired, the server shuts down or the database is unavailable, the stream ends without it, and clients reconnect.

use std::convert::Infallible;

use async_graphql::Response as GraphQlResponse;
use axum::body::Body;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderName, HeaderValue, Response};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream;

use super::batch::{GraphqlHandler, PreparedRequest};
use super::response::event_body;
use crate::account::caller::request_auth::RequestAuth;
use crate::app::App;
use crate::error::{Error, TokenError};
use crate::graphql::Subscription;
use crate::graphql::error::finalize_errors;
use crate::http::server::{Shutdown, Streaming};

/// Disables nginx's buffering, so that each event arrives at once.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The state of an open event stream.
struct EventStream {
    subscription: Subscription,
    shutdown: Shutdown,
    request_id: String,
}

impl GraphqlHandler {
    /// Responds with the subscription's events.
    ///
    /// # Errors
    /// The response that rejects the subscription.
    pub(super) async fn event_stream(
        &self,
        app: &App,
        auth: RequestAuth,
        shutdown: Shutdown,
        prepared: PreparedRequest,
    ) -> Result<Response<Body>, GraphQlResponse> {
        let request_id = auth.context.request_id.clone();
        let subscription = self.start(app, auth, prepared).await?;
        let stream = EventStream { subscription, shutdown, request_id };
        let events = stream::unfold(Some(stream), |stream| async move {
            let mut stream = stream?;
            let event = stream.next().await?;
            Some((Ok::<_, Infallible>(event.0), (!event.1).then_some(stream)))
        });
        let keep_alive = KeepAlive::new().interval(app.config.server.timeouts.ping);
        let mut response = Sse::new(events).keep_alive(keep_alive).into_response();
        // The middleware sets `no-store`, as for any other response.
        response.headers_mut().remove(CACHE_CONTROL);
        response.headers_mut().insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
        response.extensions_mut().insert(Streaming);
        Ok(response)
    }
}

impl EventStream {
    /// The next event and whether it is the last; `None` if the stream ends without a `complete` event.
    async fn next(&mut self) -> Option<(Event, bool)> {
        let next = tokio::select! {
            biased;
            () = self.shutdown.started() => return None,
            next = self.subscription.next() => next,
        };
        match next {
            Ok(mut response) => {
                finalize_errors(&mut response, &self.request_id);
                Some((Event::default().event("next").json_data(event_body(&response)).ok()?, false))
            }
            Err(Error::Unauthenticated(TokenError::Expired | TokenError::Replaced)) => None,
            // The session or the permission is gone: reconnecting is useless. `EventSource` ignores events without
            // data.
            Err(Error::Unauthenticated(_) | Error::Forbidden | Error::PasswordChangeRequired) => {
                Some((Event::default().event("complete").data("null"), true))
            }
            Err(error) => {
                error.log(&self.request_id);
                None
            }
        }
    }
}
