//! Failures outside GraphQL and the REST dialects, as problem details (RFC 9457).

use std::any::Any;

use axum::Json;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Method, Response, StatusCode, Uri};
use axum::response::IntoResponse;
use serde_json::json;

use crate::error::{Error, TokenError};

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

/// A failure of a use case, on a route that has no form of its own for it; what is internal is logged here.
pub(super) fn rejection(error: &Error, request_id: &str) -> Response<Body> {
    let (status, challenge) = match error {
        Error::Unauthenticated(TokenError::Missing) => (StatusCode::UNAUTHORIZED, Some("Bearer")),
        Error::Unauthenticated(_) => (StatusCode::UNAUTHORIZED, Some("Bearer error=\"invalid_token\"")),
        Error::Forbidden => (StatusCode::FORBIDDEN, Some("Bearer error=\"insufficient_scope\"")),
        Error::PasswordChangeRequired | Error::CrossSite | Error::ThirdPartyCookies => (StatusCode::FORBIDDEN, None),
        Error::TooManySubscriptions { .. } => (StatusCode::TOO_MANY_REQUESTS, None),
        Error::ServerBusy { .. } => (StatusCode::SERVICE_UNAVAILABLE, None),
        Error::BadUserInput { .. }
        | Error::OperationTooComplex { .. }
        | Error::OneCredentialCheckPerRequest
        | Error::Refused(_) => (StatusCode::BAD_REQUEST, None),
        Error::StorageUnavailable(cause) => {
            tracing::error!(request.id = request_id, cause = format!("{cause:#}"), "{error}");
            (StatusCode::SERVICE_UNAVAILABLE, None)
        }
        Error::Internal(cause) => {
            tracing::error!(request.id = request_id, cause = format!("{cause:#}"), "internal error");
            (StatusCode::INTERNAL_SERVER_ERROR, None)
        }
    };
    let mut response = problem(status, error.code(), &error.to_string());
    if let Some(challenge) = challenge {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    super::middleware::security_headers::add_missing(response.headers_mut());
    response
}

/// No such route.
pub(super) async fn not_found(uri: Uri) -> Response<Body> {
    let detail = "try /graphql, or a route that /openapi.json tells";
    tracing::debug!(path = uri.path(), "no such route");
    problem(StatusCode::NOT_FOUND, "NOT_FOUND", detail)
}

/// The route is there, but not what it was asked for.
pub(super) fn resource_not_found(detail: &str) -> Response<Body> {
    problem(StatusCode::NOT_FOUND, "NOT_FOUND", detail)
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
