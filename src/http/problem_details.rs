//! Error responses outside GraphQL and the REST dialects, as problem details (RFC 9457).

use std::any::Any;

use axum::Json;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Method, Response, StatusCode, Uri};
use axum::response::IntoResponse;
use serde_json::json;

use crate::error::ErrorKind;

/// The status of a kind of error, by the table of errors.
pub(super) fn status_of(kind: ErrorKind) -> StatusCode {
    StatusCode::from_u16(kind.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// A response with a status, a code and a detail that says what to do.
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

/// 404 for an unknown route.
pub(super) async fn not_found(uri: Uri) -> Response<Body> {
    let detail = "no such route: see /graphql and /openapi.json";
    tracing::debug!(path = uri.path(), "no such route");
    problem(StatusCode::NOT_FOUND, "NOT_FOUND", detail)
}

/// 404 on a known route, for a resource that does not exist.
pub(super) fn resource_not_found(detail: &str) -> Response<Body> {
    problem(StatusCode::NOT_FOUND, "NOT_FOUND", detail)
}

/// 405; the router adds `Allow`.
pub(super) async fn method_not_allowed(method: Method) -> Response<Body> {
    let detail = format!("this route does not support {method}");
    problem(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", &detail)
}

/// 500 after a panic in a handler; the process continues.
pub(super) fn panicked(cause: Box<dyn Any + Send>) -> Response<Body> {
    let cause = cause
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| cause.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    tracing::error!(cause, "a handler panicked");
    problem(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "internal error")
}
