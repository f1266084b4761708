//! The dialect's failures: JSON with the old text as `message`, where 0.15 clients look, and as `error`, where later ones do.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use crate::account::requester::{Client, Identity, Requester};
use crate::error::{Error, TokenFault};
use crate::rest::failure::{self, challenge};

/// A request that came to nothing.
pub(super) struct Failure {
    told: failure::Failure,
    /// The member that says `false`, if the route has one.
    flag: Option<&'static str>,
}

impl From<failure::Failure> for Failure {
    fn from(told: failure::Failure) -> Self {
        Self { told, flag: None }
    }
}

impl Failure {
    /// The failure with this status and text.
    pub fn new(status: StatusCode, text: impl Into<String>) -> Self {
        failure::Failure::new(status, text).into()
    }

    /// A request that is wrong in itself.
    pub fn bad_request(text: impl Into<String>) -> Self {
        failure::Failure::bad_request(text).into()
    }

    /// An access token that does not open the door.
    pub fn unauthorized(fault: TokenFault, text: impl Into<String>) -> Self {
        failure::Failure::unauthorized(challenge(fault), text).into()
    }

    /// Something that was tried too often.
    pub fn too_many(retry_after: u64) -> Self {
        failure::Failure::too_many(retry_after, "Rate limit exceeded. Please try again later.").into()
    }

    /// A caller who is known and may not do this.
    pub fn forbidden(text: impl Into<String>) -> Self {
        failure::Failure::forbidden(text).into()
    }

    /// What no route has a text of its own for.
    pub fn other(error: &Error, client: &Client) -> Self {
        match error {
            Error::Refused(refusals) if let Some(seconds) = refusals.first().and_then(|first| first.retry_after) => {
                Self::too_many(seconds)
            }
            other => failure::Failure::of(other, client).into(),
        }
    }

    /// The same failure with a member that says `false`.
    pub fn flagged(self, flag: &'static str) -> Self {
        Self { flag: Some(flag), ..self }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let text = self.told.text();
        let mut body: Map<String, Value> = self.flag.map(|flag| (flag.to_owned(), false.into())).into_iter().collect();
        body.insert("message".to_owned(), text.into());
        body.insert("error".to_owned(), text.into());
        self.told.with_body(body)
    }
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
