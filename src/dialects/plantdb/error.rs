//! The dialect's failures: JSON with the old text as `message`, where 0.15 clients look, and as `error`, where later ones do.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use crate::account::caller::requester::{Identity, RequestContext, Requester};
use crate::dialects::http_error::{self, bearer_challenge};
use crate::error::{Error, TokenError};

/// A request that came to nothing.
pub(super) struct PlantdbError {
    http_error: http_error::HttpError,
    /// The member that says `false`, if the route has one.
    false_field: Option<&'static str>,
}

impl From<http_error::HttpError> for PlantdbError {
    fn from(http_error: http_error::HttpError) -> Self {
        Self { http_error, false_field: None }
    }
}

impl PlantdbError {
    /// The failure with this status and text.
    pub fn new(status: StatusCode, text: impl Into<String>) -> Self {
        http_error::HttpError::new(status, text).into()
    }

    /// A request that is wrong in itself.
    pub fn bad_request(text: impl Into<String>) -> Self {
        http_error::HttpError::bad_request(text).into()
    }

    /// An access token that does not open the door.
    pub fn unauthorized(fault: TokenError, text: impl Into<String>) -> Self {
        http_error::HttpError::unauthorized(bearer_challenge(fault), text).into()
    }

    /// Something that was tried too often.
    pub fn too_many_requests(retry_after: u64) -> Self {
        http_error::HttpError::too_many_requests(retry_after, "Rate limit exceeded. Please try again later.").into()
    }

    /// A caller who is known and may not do this.
    pub fn forbidden(text: impl Into<String>) -> Self {
        http_error::HttpError::forbidden(text).into()
    }

    /// What no route has a text of its own for.
    pub fn from_error(error: &Error, client: &RequestContext) -> Self {
        match error {
            Error::Refused(refusals) if let Some(seconds) = refusals.first().and_then(|first| first.retry_after) => {
                Self::too_many_requests(seconds)
            }
            other => http_error::HttpError::from_error(other, client).into(),
        }
    }

    /// The same failure with a member that says `false`.
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

/// What was wrong with the caller's access token, in the old service's words.
pub(super) fn access_token_message(requester: &Requester, fault: TokenError) -> String {
    match &requester.identity {
        Identity::Rejected { token_id: Some(token_id), .. } => token_message(fault, "Access", token_id),
        Identity::Rejected { .. } | Identity::Anonymous | Identity::Authenticated(_) => {
            token_message(fault, "Access", "")
        }
    }
}

/// The words for a fault of a token.
pub(super) fn token_message(fault: TokenError, kind: &str, token_id: &str) -> String {
    match fault {
        TokenError::Missing => "No token supplied".to_owned(),
        TokenError::Malformed => "Not enough segments".to_owned(),
        TokenError::Invalid => "Signature verification failed".to_owned(),
        TokenError::Expired => "Signature has expired".to_owned(),
        TokenError::Replaced | TokenError::SessionEnded => format!("{kind} token jti={token_id} not found"),
    }
}
