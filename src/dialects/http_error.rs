//! Error responses shared by the dialects: status, headers, and a JSON body with `message`.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use crate::account::caller::request_context::RequestContext;
use crate::error::{Error, RETRY_AFTER_SECONDS, TokenError};

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
        let challenge = Some("Bearer error=\"insufficient_scope\"");
        Self { challenge, ..Self::new(StatusCode::FORBIDDEN, text) }
    }

    /// 429: a rate limit is exceeded. `retry_after` is in seconds.
    pub fn too_many_requests(retry_after: u64, text: impl Into<String>) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(StatusCode::TOO_MANY_REQUESTS, text) }
    }

    /// 405: the route exists, but not for this method; the router adds `Allow`.
    pub fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "The method is not allowed for the requested URL.")
    }

    /// Maps an error that the dialect has no response of its own for. Logs internal errors; the client gets no cause.
    pub fn from_error(error: &Error, context: &RequestContext) -> Self {
        match error {
            Error::Unauthenticated(fault) => Self::unauthorized(bearer_challenge(*fault), error.to_string()),
            Error::Forbidden => Self::forbidden(error.to_string()),
            Error::CrossSite | Error::ThirdPartyCookies | Error::PasswordChangeRequired => {
                Self::new(StatusCode::FORBIDDEN, error.to_string())
            }
            Error::Refused(refusals) => match refusals.first().and_then(|refusal| refusal.retry_after) {
                Some(seconds) => Self::too_many_requests(seconds, error.to_string()),
                None => Self::bad_request(error.to_string()),
            },
            Error::BadUserInput { .. }
            | Error::OperationTooComplex { .. }
            | Error::TooManySubscriptions { .. }
            | Error::OneCredentialCheckPerRequest => Self::bad_request(error.to_string()),
            Error::ServerBusy { retry_after } => Self {
                retry_after: Some(*retry_after),
                ..Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
            },
            Error::StorageUnavailable(cause) => {
                tracing::error!(request.id = context.request_id, cause = format!("{cause:#}"), "{error}");
                Self {
                    retry_after: Some(RETRY_AFTER_SECONDS),
                    ..Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
                }
            }
            Error::Internal(cause) => {
                tracing::error!(request.id = context.request_id, cause = format!("{cause:#}"), "internal error");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
            }
        }
    }
}

impl HttpError {
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

/// The challenge for an access token; without an error code if no token was sent (RFC 6750 section 3.1).
pub(super) fn bearer_challenge(fault: TokenError) -> &'static str {
    if fault == TokenError::Missing { "Bearer" } else { "Bearer error=\"invalid_token\"" }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        let body = json!({ "message": self.message });
        self.into_response_with(body)
    }
}
