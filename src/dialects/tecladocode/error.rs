//! The dialect's failures, each in the form that the old service had for it.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::WWW_AUTHENTICATE;
use axum::response::{Html, IntoResponse, Response};
use serde_json::{Value, json};

use crate::account::caller::requester::RequestContext;
use crate::dialects::http_error::{self, bearer_challenge};
use crate::error::{Error, TokenError};

/// A request that came to nothing.
pub(super) enum TecladocodeError {
    /// `{"message": text}`.
    Http(http_error::HttpError),
    /// `{"message": {argument: text}}`.
    Argument(&'static str, String),
    /// A token that does not do.
    Token(TokenError),
    /// The path is none of the old service's.
    RouteNotFound,
}

/// What the old service says of a path that it does not have.
const ROUTE_NOT_FOUND: &str = "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 3.2 Final//EN\">\n<title>404 Not Found</title>\n\
    <h1>Not Found</h1>\n<p>The requested URL was not found on the server. If you entered the URL manually please check \
    your spelling and try again.</p>\n";

impl TecladocodeError {
    /// The failure with this status and text.
    pub fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self::Http(http_error::HttpError::new(status, text))
    }

    /// There is no such user, as far as the caller may know.
    pub fn user_not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "User not found.")
    }

    /// What no route has a text of its own for.
    pub fn from_error(error: &Error, client: &RequestContext) -> Self {
        match error {
            Error::Unauthenticated(fault) => Self::Token(*fault),
            other => Self::Http(http_error::HttpError::from_error(other, client)),
        }
    }
}

impl From<http_error::HttpError> for TecladocodeError {
    fn from(failure: http_error::HttpError) -> Self {
        Self::Http(failure)
    }
}

impl IntoResponse for TecladocodeError {
    fn into_response(self) -> Response {
        match self {
            Self::Http(failure) => failure.into_response(),
            Self::Argument(name, text) => {
                (StatusCode::BAD_REQUEST, Json(json!({ "message": { name: text } }))).into_response()
            }
            Self::Token(fault) => {
                (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, bearer_challenge(fault))], Json(token_error_json(fault)))
                    .into_response()
            }
            Self::RouteNotFound => (StatusCode::NOT_FOUND, Html(ROUTE_NOT_FOUND)).into_response(),
        }
    }
}

/// What is wrong with a token, in the old service's words.
fn token_error_json(fault: TokenError) -> Value {
    match fault {
        TokenError::Missing => {
            json!({ "description": "Request does not contain an access token.", "error": "authorization_required" })
        }
        TokenError::Malformed | TokenError::Invalid => {
            json!({ "message": "Signature verification failed.", "error": "invalid_token" })
        }
        TokenError::Expired => json!({ "message": "The token has expired.", "error": "token_expired" }),
        TokenError::Replaced | TokenError::SessionEnded => {
            json!({ "description": "The token has been revoked.", "error": "token_revoked" })
        }
    }
}
