//! Subscriptions as server-sent events, in the "distinct connections" mode of the GraphQL-over-SSE protocol.
//!
//! An event `next` carries one answer. An event `complete` says that there is nothing to come again for; where only the
//! token has expired, the server stops or the database is away, the stream ends without it, and clients do come again.

use std::convert::Infallible;

use async_graphql::Response as GraphQlResponse;
use axum::body::Body;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderName, HeaderValue, Response};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream;

use super::subscribe::log_stream_error;
use super::{GraphqlHandler, PreparedRequest, Shutdown, event_body};
use crate::account::caller::requester::RequestAuth;
use crate::app::App;
use crate::error::{Error, TokenError};
use crate::graphql::Subscription;
use crate::graphql::error::finalize_errors;
use crate::http::server::Streaming;

/// Has nginx pass on each event as it comes.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// A stream as far as it has come.
struct EventStream {
    subscription: Subscription,
    shutdown: Shutdown,
    request_id: String,
}

impl GraphqlHandler {
    /// Answers with what happens from now on.
    ///
    /// # Errors
    /// The answer that refuses it.
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
        // Nothing keeps it, as nothing keeps any other answer.
        response.headers_mut().remove(CACHE_CONTROL);
        response.headers_mut().insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
        response.extensions_mut().insert(Streaming);
        Ok(response)
    }
}

impl EventStream {
    /// The next event and whether it is the last; nothing where the stream just ends.
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
            // There is nobody any more who could come again. Without data an `EventSource` would not tell of it.
            Err(Error::Unauthenticated(_) | Error::Forbidden | Error::PasswordChangeRequired) => {
                Some((Event::default().event("complete").data("null"), true))
            }
            Err(error) => {
                log_stream_error(&error, &self.request_id);
                None
            }
        }
    }
}
