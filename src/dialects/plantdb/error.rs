//! Error responses: JSON with the old text as `message`, which 0.15 clients read, and as `error`, for later ones.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use crate::account::caller::request_context::RequestContext;
use crate::account::caller::requester::{Identity, Requester};
use crate::dialects::http_error;
use crate::error::{Error, ErrorKind, RefusalCode, TokenError};

/// An error response.
pub(super) struct PlantdbError {
    http_error: http_error::HttpError,
    /// Name of a member with the value `false`, if the route has one.
    false_field: Option<&'static str>,
}

impl From<http_error::HttpError> for PlantdbError {
    fn from(http_error: http_error::HttpError) -> Self {
        Self { http_error, false_field: None }
    }
}

impl PlantdbError {
    /// An error with this status and message.
    pub fn new(status: StatusCode, text: impl Into<String>) -> Self {
        http_error::HttpError::new(status, text).into()
    }

    /// 400: the request is malformed.
    pub fn bad_request(text: impl Into<String>) -> Self {
        http_error::HttpError::bad_request(text).into()
    }

    /// 401: the access token is invalid or missing.
    pub fn unauthorized(fault: TokenError, text: impl Into<String>) -> Self {
        http_error::HttpError::unauthorized(fault.bearer_challenge(), text).into()
    }

    /// 429: a rate limit is exceeded. `retry_after` is in seconds.
    pub fn too_many_requests(retry_after: u64) -> Self {
        http_error::HttpError::too_many_requests(retry_after, "Rate limit exceeded. Please try again later.").into()
    }

    /// 403: the caller is authenticated and lacks the permission.
    pub fn forbidden(text: impl Into<String>) -> Self {
        http_error::HttpError::forbidden(text).into()
    }

    /// The response by the table of errors, for an error that the route has no text of its own for.
    pub fn from_error(error: &Error, context: &RequestContext) -> Self {
        match (error.kind(), error.retry_after()) {
            (ErrorKind::Refused(RefusalCode::TooManyAttempts), Some(seconds)) => Self::too_many_requests(seconds),
            _ => http_error::HttpError::from_error(error, context).into(),
        }
    }

    /// The same error with a member `false_field` that is `false`.
    pub fn with_false_field(self, flag: &'static str) -> Self {
        Self { false_field: Some(flag), ..self }
    }
}

impl IntoResponse for PlantdbError {
    fn into_response(self) -> Response {
        let text = self.http_error.message();
        let mut body: Map<String, Value> =
            self.false_field.map(|flag| (flag.to_owned(), false.into())).into_iter().collect();
        body.insert("message".to_owned(), text.into());
        body.insert("error".to_owned(), text.into());
        self.http_error.into_response_with(body)
    }
}

/// The old service's text for an invalid access token.
pub(super) fn access_token_message(requester: &Requester, fault: TokenError) -> String {
    match &requester.identity {
        Identity::Rejected { token_id: Some(token_id), .. } => token_message(fault, "Access", token_id),
        Identity::Rejected { .. } | Identity::Anonymous | Identity::Authenticated(_) => {
            token_message(fault, "Access", "")
        }
    }
}

/// The old service's text for an invalid token; `kind` is `Access` or `Refresh`.
pub(super) fn token_message(fault: TokenError, kind: &str, token_id: &str) -> String {
    match fault {
        TokenError::Missing => "No token supplied".to_owned(),
        TokenError::Malformed => "Not enough segments".to_owned(),
        TokenError::Invalid => "Signature verification failed".to_owned(),
        TokenError::Expired => "Signature has expired".to_owned(),
        TokenError::Replaced | TokenError::SessionEnded => format!("{kind} token jti={token_id} not found"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::samples::assert_statuses;

    #[test]
    fn plantdb_responds_by_the_table() {
        let context = RequestContext::new(None, None, String::new());
        assert_statuses(|error| PlantdbError::from_error(&error, &context).into_response().status().as_u16(), &[]);
    }
}
