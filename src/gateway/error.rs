//! Error responses of OAuth 2.0 (RFC 6749 section 5.2), which clients of RFC 7662 expect.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::account::caller::request_context::RequestContext;
use crate::error::{Error, RETRY_AFTER_SECONDS};

/// 400 `invalid_request`.
pub(super) fn bad_request(description: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_request", "error_description": description })))
        .into_response()
}

/// Maps an error of a use case. Logs internal errors; the client gets no cause.
pub(super) fn error_response(error: &Error, context: &RequestContext) -> Response {
    let (status, code, retry_after) = match error {
        Error::Unauthenticated(_) => (StatusCode::UNAUTHORIZED, "invalid_client", None),
        Error::Refused(refusals) => {
            let wait = refusals.first().and_then(|refusal| refusal.retry_after);
            (StatusCode::TOO_MANY_REQUESTS, "slow_down", wait)
        }
        Error::ServerBusy { retry_after } => {
            (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", Some(*retry_after))
        }
        Error::StorageUnavailable(cause) => {
            tracing::error!(request.id = context.request_id, cause = format!("{cause:#}"), "{error}");
            (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", Some(RETRY_AFTER_SECONDS))
        }
        other => {
            tracing::error!(request.id = context.request_id, cause = format!("{other:#}"), "internal error");
            (StatusCode::INTERNAL_SERVER_ERROR, "server_error", None)
        }
    };
    let challenge =
        (status == StatusCode::UNAUTHORIZED).then_some([(WWW_AUTHENTICATE, "Basic realm=\"introspection\"")]);
    let retry_after = retry_after.map(|seconds| [(RETRY_AFTER, seconds.to_string())]);
    (status, challenge, retry_after, Json(json!({ "error": code }))).into_response()
}
