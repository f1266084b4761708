//! One line per request: what was asked, what came of it, how long it took; never what it contained.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;

use crate::account::requester::Visitor;

/// What the log tells of a GraphQL request; its handler attaches it to the answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Operation {
    /// `query`, `mutation` or `subscription`; its line tells of its begin.
    pub kind: &'static str,
    /// The operation's name, or nothing.
    pub name: String,
    /// The codes of its errors.
    pub codes: String,
}

/// Writes the line.
pub(super) async fn line(request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().clone();
    // The pattern and not the path: a path may hold what a person typed.
    let route = request.extensions().get::<MatchedPath>().map_or("unknown", MatchedPath::as_str).to_owned();
    let request_id = request.extensions().get::<Visitor>().map(|visitor| visitor.client.request_id.clone());
    let response = next.run(request).await;
    let operation = response.extensions().get::<Operation>().cloned().unwrap_or_default();
    tracing::info!(
        request.id = request_id,
        http.method = %method,
        http.route = route,
        http.status = response.status().as_u16(),
        operation.kind = operation.kind,
        operation.name = operation.name,
        codes = operation.codes,
        duration_ms = begun.elapsed().as_secs_f64() * 1_000.0,
        "request"
    );
    response
}
