//! Error responses of OAuth 2.0 (RFC 6749 section 5.2), which clients of RFC 7662 expect.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::account::caller::request_context::RequestContext;
use crate::error::Error;

/// 400 `invalid_request`.
pub(super) fn bad_request(description: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_request", "error_description": description })))
        .into_response()
}

/// The response to an error of a use case: its status by the table of errors, its code by RFC 6749. Logs internal errors;
/// the client gets no cause.
pub(super) fn error_response(error: &Error, context: &RequestContext) -> Response {
    error.log(&context.request_id);
    let status = StatusCode::from_u16(error.kind().http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let code = match status {
        StatusCode::UNAUTHORIZED => "invalid_client",
        StatusCode::TOO_MANY_REQUESTS => "slow_down",
        StatusCode::SERVICE_UNAVAILABLE => "temporarily_unavailable",
        StatusCode::INTERNAL_SERVER_ERROR => "server_error",
        _ => "invalid_request",
    };
    let challenge =
        (status == StatusCode::UNAUTHORIZED).then_some([(WWW_AUTHENTICATE, "Basic realm=\"introspection\"")]);
    let retry_after = error.retry_after().map(|seconds| [(RETRY_AFTER, seconds.to_string())]);
    (status, challenge, retry_after, Json(json!({ "error": code }))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::samples::assert_statuses;

    #[test]
    fn gateway_routes_respond_by_the_table() {
        let context = RequestContext::new(None, None, String::new());
        assert_statuses(|error| error_response(&error, &context).status().as_u16(), &[]);
    }
}
