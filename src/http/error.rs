//! Failures outside GraphQL and the REST dialects, as problem details (RFC 9457).

use std::any::Any;

use axum::Json;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Method, Response, StatusCode, Uri};
use axum::response::IntoResponse;
use serde_json::json;

/// The answer with a status, a code and a sentence that tells what to do.
pub(super) fn problem(status: StatusCode, code: &str, detail: &str) -> Response<Body> {
    let body = json!({
        "type": "about:blank",
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "code": code,
        "detail": detail,
    });
    let mut response = (status, Json(body)).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}

/// No such route.
pub(super) async fn not_found(uri: Uri) -> Response<Body> {
    let known = "try /graphql, or a route that /openapi.json tells";
    tracing::debug!(path = uri.path(), "no such route");
    problem(StatusCode::NOT_FOUND, "NOT_FOUND", known)
}

/// The route does not take this method; the router adds `Allow`.
pub(super) async fn method_not_allowed(method: Method) -> Response<Body> {
    let detail = format!("this route does not take {method}");
    problem(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", &detail)
}

/// A handler panicked; the process goes on.
pub(super) fn panicked(cause: Box<dyn Any + Send>) -> Response<Body> {
    let cause = cause
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| cause.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    tracing::error!(cause, "a handler panicked");
    problem(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "internal error")
}
