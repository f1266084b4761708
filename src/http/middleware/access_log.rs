//! One line per request: what was asked, what came of it, how long it took; never what it contained.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::response::Response;

use crate::account::caller::requester::RequestAuth;

/// What the log tells of a GraphQL request; its handler attaches it to the answer.
#[derive(Debug, Clone, Default)]
pub(in crate::http) struct LoggedOperation {
    /// `query`, `mutation` or `subscription`; its line tells of its begin.
    pub kind: &'static str,
    /// The operation's name, or nothing.
    pub name: String,
    /// The codes of its errors.
    pub codes: String,
}

/// What is known of a request before it is answered.
pub(in crate::http) struct AccessLogEntry {
    started_at: Instant,
    method: Method,
    /// The pattern and not the path: a path may hold what a person typed.
    route: Option<MatchedPath>,
    request_id: Option<String>,
}

impl AccessLogEntry {
    /// Begins to measure.
    pub fn start(request: &Request) -> Self {
        Self {
            started_at: Instant::now(),
            method: request.method().clone(),
            route: request.extensions().get::<MatchedPath>().cloned(),
            request_id: request.extensions().get::<RequestAuth>().map(|visitor| visitor.context.request_id.clone()),
        }
    }

    /// Writes the line.
    pub fn write(self, response: &Response) {
        let no_operation = LoggedOperation::default();
        let operation = response.extensions().get::<LoggedOperation>().unwrap_or(&no_operation);
        tracing::info!(
            request.id = self.request_id,
            http.method = %self.method,
            http.route = self.route.as_ref().map_or("unknown", MatchedPath::as_str),
            http.status = response.status().as_u16(),
            operation.kind = operation.kind,
            operation.name = operation.name,
            codes = operation.codes,
            duration_ms = (self.started_at.elapsed().as_secs_f64() * 1_000_000.0).round() / 1_000.0,
            "request"
        );
    }
}
