//! The dialect's failures, each in the form that the old service had for it.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::WWW_AUTHENTICATE;
use axum::response::{Html, IntoResponse, Response};
use serde_json::{Value, json};

use crate::account::requester::Client;
use crate::error::{Error, TokenFault};
use crate::rest::failure::{self, challenge};

/// A request that came to nothing.
pub(super) enum Failure {
    /// `{"message": text}`.
    Told(failure::Failure),
    /// `{"message": {argument: text}}`.
    Argument(&'static str, String),
    /// A token that does not do.
    Token(TokenFault),
    /// The path is none of the old service's.
    NoRoute,
}

/// What the old service says of a path that it does not have.
const NO_ROUTE: &str = "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 3.2 Final//EN\">\n<title>404 Not Found</title>\n\
    <h1>Not Found</h1>\n<p>The requested URL was not found on the server. If you entered the URL manually please check \
    your spelling and try again.</p>\n";

impl Failure {
    /// The failure with this status and text.
    pub fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self::Told(failure::Failure::new(status, text))
    }

    /// There is no such user, as far as the caller may know.
    pub fn no_user() -> Self {
        Self::new(StatusCode::NOT_FOUND, "User not found.")
    }

    /// What no route has a text of its own for.
    pub fn of(error: &Error, client: &Client) -> Self {
        match error {
            Error::Unauthenticated(fault) => Self::Token(*fault),
            other => Self::Told(failure::Failure::of(other, client)),
        }
    }
}

impl From<failure::Failure> for Failure {
    fn from(failure: failure::Failure) -> Self {
        Self::Told(failure)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Told(failure) => failure.into_response(),
            Self::Argument(name, text) => {
                (StatusCode::BAD_REQUEST, Json(json!({ "message": { name: text } }))).into_response()
            }
            Self::Token(fault) => {
                (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, challenge(fault))], Json(why(fault))).into_response()
            }
            Self::NoRoute => (StatusCode::NOT_FOUND, Html(NO_ROUTE)).into_response(),
        }
    }
}

/// What is wrong with a token, in the old service's words.
fn why(fault: TokenFault) -> Value {
    match fault {
        TokenFault::Missing => {
            json!({ "description": "Request does not contain an access token.", "error": "authorization_required" })
        }
        TokenFault::Malformed | TokenFault::Invalid => {
            json!({ "message": "Signature verification failed.", "error": "invalid_token" })
        }
        TokenFault::Expired => json!({ "message": "The token has expired.", "error": "token_expired" }),
        TokenFault::Replaced | TokenFault::SessionEnded => {
            json!({ "description": "The token has been revoked.", "error": "token_revoked" })
        }
    }
}
