//! The access log: one line per request with the route, the result and the duration, but no contents.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::response::Response;

use crate::account::caller::request_auth::RequestAuth;

/// The GraphQL operation in the access log; the handler attaches it to the response.
#[derive(Debug, Clone, Default)]
pub(in crate::http) struct LoggedOperation {
    /// The kind of the operation, or of the batch.
    pub kind: OperationKind,
    /// The operation's name, or empty.
    pub name: String,
    /// The error codes of the response, comma-separated.
    pub codes: String,
}

/// The kind of a GraphQL operation; a subscription is logged when it starts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::http) enum OperationKind {
    /// The document is invalid, or has no such operation.
    #[default]
    Unknown,
    Query,
    Mutation,
    Subscription,
    /// Several requests in an array.
    Batch,
}

impl OperationKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "",
            Self::Query => "query",
            Self::Mutation => "mutation",
            Self::Subscription => "subscription",
            Self::Batch => "batch",
        }
    }
}

/// The request's part of a log line.
pub(in crate::http) struct AccessLogEntry {
    started_at: Instant,
    method: Method,
    /// The pattern and not the path: a path may contain user input.
    route: Option<MatchedPath>,
    request_id: Option<String>,
}

impl AccessLogEntry {
    /// Starts the measurement.
    pub fn start(request: &Request) -> Self {
        Self {
            started_at: Instant::now(),
            method: request.method().clone(),
            route: request.extensions().get::<MatchedPath>().cloned(),
            request_id: request.extensions().get::<RequestAuth>().map(|auth| auth.context.request_id.clone()),
        }
    }

    /// Writes the log line.
    pub fn write(self, response: &Response) {
        let no_operation = LoggedOperation::default();
        let operation = response.extensions().get::<LoggedOperation>().unwrap_or(&no_operation);
        tracing::info!(
            request.id = self.request_id,
            http.method = %self.method,
            http.route = self.route.as_ref().map_or("unknown", MatchedPath::as_str),
            http.status = response.status().as_u16(),
            operation.kind = operation.kind.as_str(),
            operation.name = operation.name,
            codes = operation.codes,
            duration_ms = (self.started_at.elapsed().as_secs_f64() * 1_000_000.0).round() / 1_000.0,
            "request"
        );
    }
}
