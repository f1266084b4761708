//! The dialect's failures: JSON with the old text as `message`, where 0.15 clients look, and as `error`, where later ones do.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use crate::account::requester::{Client, Identity, Requester};
use crate::error::{Error, RETRY_AFTER as SOON, TokenFault};

/// A request that came to nothing.
pub(super) struct Failure {
    status: StatusCode,
    text: String,
    /// The member that says `false`, if the route has one.
    flag: Option<&'static str>,
    challenge: Option<&'static str>,
    /// Seconds after which the same request may do better.
    retry_after: Option<u64>,
}

impl Failure {
    /// The failure with this status and text.
    pub fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), flag: None, challenge: None, retry_after: None }
    }

    /// A request that is wrong in itself.
    pub fn bad_request(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }

    /// An access token that does not open the door; the challenge names no error if none was sent (RFC 6750 section 3.1).
    pub fn unauthorized(fault: TokenFault, text: impl Into<String>) -> Self {
        let challenge = if fault == TokenFault::Missing { "Bearer" } else { "Bearer error=\"invalid_token\"" };
        Self { challenge: Some(challenge), ..Self::new(StatusCode::UNAUTHORIZED, text) }
    }

    /// Something that was tried too often.
    pub fn too_many(retry_after: u64) -> Self {
        let text = "Rate limit exceeded. Please try again later.";
        Self { retry_after: Some(retry_after), ..Self::new(StatusCode::TOO_MANY_REQUESTS, text) }
    }

    /// A caller who is known and may not do this.
    pub fn forbidden(text: impl Into<String>) -> Self {
        let challenge = Some("Bearer error=\"insufficient_scope\"");
        Self { challenge, ..Self::new(StatusCode::FORBIDDEN, text) }
    }

    /// What no route has a text of its own for; internal errors are logged here, and the client gets no cause.
    pub fn other(error: &Error, client: &Client) -> Self {
        match error {
            Error::Unauthenticated(fault) => Self::unauthorized(*fault, error.to_string()),
            Error::Forbidden => Self::forbidden(error.to_string()),
            Error::Refused(refusals) => match refusals.first().and_then(|refusal| refusal.retry_after) {
                Some(retry_after) => Self::too_many(retry_after),
                None => Self::bad_request(error.to_string()),
            },
            Error::BadUserInput { .. } | Error::TooComplex { .. } | Error::SecondCredentialCheck => {
                Self::bad_request(error.to_string())
            }
            Error::ForeignPage | Error::PasswordChangeRequired => Self::new(StatusCode::FORBIDDEN, error.to_string()),
            Error::Busy { retry_after } => Self {
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

    /// The same failure with a member that says `false`.
    pub fn flagged(self, flag: &'static str) -> Self {
        Self { flag: Some(flag), ..self }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut body: Map<String, Value> = self.flag.map(|flag| (flag.to_owned(), false.into())).into_iter().collect();
        body.insert("message".to_owned(), self.text.clone().into());
        body.insert("error".to_owned(), self.text.into());
        let challenge = self.challenge.map(|challenge| [(WWW_AUTHENTICATE, challenge)]);
        let retry_after = self.retry_after.map(|seconds| [(RETRY_AFTER, seconds.to_string())]);
        (self.status, challenge, retry_after, Json(body)).into_response()
    }
}

/// The route is there, but not for this method; the router adds `Allow`.
pub(super) fn method_not_allowed() -> Failure {
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, "The method is not allowed for the requested URL.")
}

/// What was wrong with the caller's access token, in the old service's words.
pub(super) fn why(requester: &Requester, fault: TokenFault) -> String {
    match &requester.identity {
        Identity::Rejected { token_id: Some(token_id), .. } => explained(fault, "Access", token_id),
        Identity::Rejected { .. } | Identity::Anonymous | Identity::SignedIn(_) => explained(fault, "Access", ""),
    }
}

/// The words for a fault of a token.
pub(super) fn explained(fault: TokenFault, kind: &str, token_id: &str) -> String {
    match fault {
        TokenFault::Missing => "No token supplied".to_owned(),
        TokenFault::Malformed => "Not enough segments".to_owned(),
        TokenFault::Invalid => "Signature verification failed".to_owned(),
        TokenFault::Expired => "Signature has expired".to_owned(),
        TokenFault::Replaced | TokenFault::SessionEnded => format!("{kind} token jti={token_id} not found"),
    }
}
