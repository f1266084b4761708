//! Limits on a request's duration and body size. The server enforces the connection's own timeouts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::header::{HeaderValue, RETRY_AFTER};
use axum::http::{Response, StatusCode};
use axum::middleware::Next;
use http_body_util::{BodyExt, Limited};
use tower_http::timeout::{DeadlineBody, TimeoutError};

use crate::app::App;
use crate::http::problem_details::problem;

/// Maximum bytes of a request body.
pub(in crate::http) const MAX_BODY_BYTES: usize = 64 * 1024;

/// Runs the handler with a timeout for the body and one for the whole request.
pub(in crate::http) async fn run(app: &App, request: Request, next: Next) -> Response<Body> {
    let deadlines = &app.config.server.timeouts;
    let is_late = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&is_late);
    let request = request.map(|body| {
        if body.is_end_stream() {
            return body;
        }
        if body.size_hint().lower() > MAX_BODY_BYTES as u64 {
            // The handler meets the same error as after reading too much, before anything is read.
            return Body::new(Limited::new(Body::from("too long"), 0));
        }
        Body::new(DeadlineBody::new(deadlines.body, body).map_err(move |error| {
            flag.fetch_or(error.is::<TimeoutError>(), Ordering::Relaxed);
            error
        }))
    });
    let response = tokio::time::timeout(deadlines.request, next.run(request)).await;
    if is_late.load(Ordering::Relaxed) {
        return problem(StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT", "the request body arrived too slowly");
    }
    response.unwrap_or_else(|_| {
        tracing::warn!(seconds = deadlines.request.as_secs(), "request timed out");
        let mut response = problem(StatusCode::SERVICE_UNAVAILABLE, "TIMEOUT", "the request timed out: try again");
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        response
    })
}
