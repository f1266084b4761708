//! What dialects have in common when a request comes to nothing: the status with its headers, and a body with `message`.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use crate::account::caller::requester::RequestContext;
use crate::error::{Error, RETRY_AFTER_SECONDS as SOON, TokenError};

/// A request that came to nothing.
#[derive(Debug)]
pub(super) struct HttpError {
    status: StatusCode,
    message: String,
    challenge: Option<&'static str>,
    /// Seconds after which the same request may do better.
    retry_after: Option<u64>,
}

impl HttpError {
    /// The failure with this status and text.
    pub fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, message: text.into(), challenge: None, retry_after: None }
    }

    /// A request that is wrong in itself.
    pub fn bad_request(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }

    /// Credentials that do not hold, with the challenge to send others (RFC 9110 section 11.6.1).
    pub fn unauthorized(challenge: &'static str, text: impl Into<String>) -> Self {
        Self { challenge: Some(challenge), ..Self::new(StatusCode::UNAUTHORIZED, text) }
    }

    /// A caller who is known and may not do this.
    pub fn forbidden(text: impl Into<String>) -> Self {
        let challenge = Some("Bearer error=\"insufficient_scope\"");
        Self { challenge, ..Self::new(StatusCode::FORBIDDEN, text) }
    }

    /// Something that was tried too often.
    pub fn too_many_requests(retry_after: u64, text: impl Into<String>) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(StatusCode::TOO_MANY_REQUESTS, text) }
    }

    /// The route is there, but not for this method; the router adds `Allow`.
    pub fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "The method is not allowed for the requested URL.")
    }

    /// What a dialect has no word of its own for; internal errors are logged here, and the client gets no cause.
    pub fn from_error(error: &Error, client: &RequestContext) -> Self {
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
                tracing::error!(request.id = client.request_id, cause = format!("{cause:#}"), "{error}");
                Self { retry_after: Some(SOON), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()) }
            }
            Error::Internal(cause) => {
                tracing::error!(request.id = client.request_id, cause = format!("{cause:#}"), "internal error");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
            }
        }
    }
}

impl HttpError {
    /// What is wrong.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The answer in another form.
    pub fn into_response_with(self, body: impl Serialize) -> Response {
        let challenge = self.challenge.map(|challenge| [(WWW_AUTHENTICATE, challenge)]);
        let retry_after = self.retry_after.map(|seconds| [(RETRY_AFTER, seconds.to_string())]);
        (self.status, challenge, retry_after, Json(body)).into_response()
    }
}

/// How to ask for an access token; no error is named if none was sent (RFC 6750 section 3.1).
pub(super) fn bearer_challenge(fault: TokenError) -> &'static str {
    if fault == TokenError::Missing { "Bearer" } else { "Bearer error=\"invalid_token\"" }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        let body = json!({ "message": self.message });
        self.into_response_with(body)
    }
}
