//! Error responses of the dialect, each in the old service's form.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use serde_json::{Value, json};

use crate::account::caller::request_context::RequestContext;
use crate::dialects::http_error;
use crate::error::{Error, TokenError};

/// An error response.
pub(super) enum TecladocodeError {
    /// `{"message": text}`.
    Http(http_error::HttpError),
    /// `{"message": {argument: text}}`.
    Argument(&'static str, String),
    /// 401 for an invalid or missing token.
    Token(TokenError),
    /// 404 as HTML: the old service has no such path.
    RouteNotFound,
}

/// Flask's page for an unknown path.
const ROUTE_NOT_FOUND: &str = "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 3.2 Final//EN\">\n\
    <title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>The requested URL was not found on the server. If you entered \
    the URL manually please check your spelling and try again.</p>\n";

impl TecladocodeError {
    /// An error with this status and message.
    pub fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self::Http(http_error::HttpError::new(status, text))
    }

    /// 404: the user does not exist or is not visible to the caller.
    pub fn user_not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "User not found.")
    }

    /// The response by the table of errors, for an error that the route has no text of its own for.
    pub fn from_error(error: &Error, context: &RequestContext) -> Self {
        match error {
            Error::Unauthenticated(fault) => Self::Token(*fault),
            other => Self::Http(http_error::HttpError::from_error(other, context)),
        }
    }
}

impl From<http_error::HttpError> for TecladocodeError {
    fn from(error: http_error::HttpError) -> Self {
        Self::Http(error)
    }
}

impl IntoResponse for TecladocodeError {
    fn into_response(self) -> Response {
        match self {
            Self::Http(error) => error.into_response(),
            Self::Argument(name, text) => {
                (StatusCode::BAD_REQUEST, Json(json!({ "message": { name: text } }))).into_response()
            }
            Self::Token(fault) => http_error::HttpError::unauthorized(fault.bearer_challenge(), String::new())
                .into_response_with(token_error_json(fault)),
            Self::RouteNotFound => (StatusCode::NOT_FOUND, Html(ROUTE_NOT_FOUND)).into_response(),
        }
    }
}

/// The old service's body for an invalid token.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::samples::assert_statuses;

    #[test]
    fn tecladocode_responds_by_the_table() {
        let context = RequestContext::new(None, None, String::new());
        assert_statuses(|error| TecladocodeError::from_error(&error, &context).into_response().status().as_u16(), &[]);
    }
}
