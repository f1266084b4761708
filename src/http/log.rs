//! One line per request: what was asked, what came of it, how long it took; never what it contained.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
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

/// What is known of a request before it is answered.
pub(super) struct Line {
    begun: Instant,
    method: Method,
    /// The pattern and not the path: a path may hold what a person typed.
    route: Option<MatchedPath>,
    request_id: Option<String>,
}

impl Line {
    /// Begins to measure.
    pub fn begin(request: &Request) -> Self {
        Self {
            begun: Instant::now(),
            method: request.method().clone(),
            route: request.extensions().get::<MatchedPath>().cloned(),
            request_id: request.extensions().get::<Visitor>().map(|visitor| visitor.client.request_id.clone()),
        }
    }

    /// Writes the line.
    pub fn end(self, response: &Response) {
        let nothing = Operation::default();
        let operation = response.extensions().get::<Operation>().unwrap_or(&nothing);
        tracing::info!(
            request.id = self.request_id,
            http.method = %self.method,
            http.route = self.route.as_ref().map_or("unknown", MatchedPath::as_str),
            http.status = response.status().as_u16(),
            operation.kind = operation.kind,
            operation.name = operation.name,
            codes = operation.codes,
            duration_ms = (self.begun.elapsed().as_secs_f64() * 1_000_000.0).round() / 1_000.0,
            "request"
        );
    }
}
