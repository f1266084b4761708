//! Error responses of an embedding application's routes.

use axum::body::Body;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Response, StatusCode};

use crate::error::{Error, TokenError};
use crate::http::middleware::security_headers;
use crate::http::problem_details::problem;

/// The response to an error of a use case on an embedding application's route; internal causes are logged here.
pub(super) fn rejection(error: &Error, request_id: &str) -> Response<Body> {
    let (status, challenge) = match error {
        Error::Unauthenticated(TokenError::Missing) => (StatusCode::UNAUTHORIZED, Some("Bearer")),
        Error::Unauthenticated(_) => (StatusCode::UNAUTHORIZED, Some("Bearer error=\"invalid_token\"")),
        Error::Forbidden => (StatusCode::FORBIDDEN, Some("Bearer error=\"insufficient_scope\"")),
        Error::PasswordChangeRequired | Error::CrossSite | Error::ThirdPartyCookies => (StatusCode::FORBIDDEN, None),
        Error::TooManySubscriptions { .. } => (StatusCode::TOO_MANY_REQUESTS, None),
        Error::ServerBusy { .. } => (StatusCode::SERVICE_UNAVAILABLE, None),
        Error::BadUserInput { .. }
        | Error::OperationTooComplex { .. }
        | Error::OneCredentialCheckPerRequest
        | Error::Refused(_) => (StatusCode::BAD_REQUEST, None),
        Error::StorageUnavailable(cause) => {
            tracing::error!(request.id = request_id, cause = format!("{cause:#}"), "{error}");
            (StatusCode::SERVICE_UNAVAILABLE, None)
        }
        Error::Internal(cause) => {
            tracing::error!(request.id = request_id, cause = format!("{cause:#}"), "internal error");
            (StatusCode::INTERNAL_SERVER_ERROR, None)
        }
    };
    let mut response = problem(status, error.code(), &error.to_string());
    if let Some(challenge) = challenge {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    security_headers::add_missing(response.headers_mut());
    response
}
