//! Error responses shared by the dialects: status, headers, and a JSON body with `message`.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use crate::account::caller::request_context::RequestContext;
use crate::error::{Error, ErrorKind};

/// An error response.
#[derive(Debug)]
pub(super) struct HttpError {
    status: StatusCode,
    message: String,
    challenge: Option<&'static str>,
    /// Seconds until a retry may succeed.
    retry_after: Option<u64>,
}

impl HttpError {
    /// An error with this status and message.
    pub fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, message: text.into(), challenge: None, retry_after: None }
    }

    /// 400: the request is malformed.
    pub fn bad_request(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }

    /// 401: the credentials are invalid or missing. `challenge` goes to `WWW-Authenticate` (RFC 9110 section 11.6.1).
    pub fn unauthorized(challenge: &'static str, text: impl Into<String>) -> Self {
        Self { challenge: Some(challenge), ..Self::new(StatusCode::UNAUTHORIZED, text) }
    }

    /// 403: the caller is authenticated and lacks the permission.
    pub fn forbidden(text: impl Into<String>) -> Self {
        Self { challenge: ErrorKind::Forbidden.bearer_challenge(), ..Self::new(StatusCode::FORBIDDEN, text) }
    }

    /// 429: a rate limit is exceeded. `retry_after` is in seconds.
    pub fn too_many_requests(retry_after: u64, text: impl Into<String>) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(StatusCode::TOO_MANY_REQUESTS, text) }
    }

    /// 405: the route exists, but not for this method; the router adds `Allow`.
    pub fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "The method is not allowed for the requested URL.")
    }

    /// The response by the table of errors, for an error that the dialect has no response of its own for. Logs internal
    /// errors; the client gets no cause.
    pub fn from_error(error: &Error, context: &RequestContext) -> Self {
        error.log(&context.request_id);
        let kind = error.kind();
        let message = match kind {
            ErrorKind::Internal => "Internal Server Error".to_owned(),
            _ => error.to_string(),
        };
        Self {
            status: StatusCode::from_u16(kind.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            message,
            challenge: kind.bearer_challenge(),
            retry_after: error.retry_after(),
        }
    }
}

impl HttpError {
    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The message.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The response with another body.
    pub fn into_response_with(self, body: impl Serialize) -> Response {
        let challenge = self.challenge.map(|challenge| [(WWW_AUTHENTICATE, challenge)]);
        let retry_after = self.retry_after.map(|seconds| [(RETRY_AFTER, seconds.to_string())]);
        (self.status, challenge, retry_after, Json(body)).into_response()
    }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        let body = json!({ "message": self.message });
        self.into_response_with(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::samples::{assert_statuses, one_error_of_each_kind};

    #[test]
    fn dialects_respond_by_the_table_by_default() {
        let context = RequestContext::new(None, None, String::new());
        assert_statuses(|error| HttpError::from_error(&error, &context).status().as_u16(), &[]);
        for error in one_error_of_each_kind() {
            let response = HttpError::from_error(&error, &context).into_response();
            let header = |name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
            assert_eq!(header(WWW_AUTHENTICATE).as_deref(), error.kind().bearer_challenge(), "{error}");
            assert_eq!(header(RETRY_AFTER), error.retry_after().map(|seconds| seconds.to_string()), "{error}");
        }
    }
}
