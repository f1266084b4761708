//! Who is calling: a bearer token of somebody with the role that the place is for.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use super::MountContext;
use crate::account::caller::requester::{RequestAuth, Requester};
use crate::app::App;
use crate::dialects::http_error::{HttpError, bearer_challenge};
use crate::error::{Error, TokenError};

/// The caller, who may have to choose a new password.
///
/// # Errors
/// 401 in the old words for everybody else.
pub(super) async fn authenticate(
    app: &App,
    visitor: RequestAuth,
    headers: &HeaderMap,
    place: &MountContext,
) -> Result<Requester, HttpError> {
    let client = visitor.context.clone();
    let requester = visitor.authenticate(app).await.map_err(|error| HttpError::from_error(&error, &client))?;
    if !has_exact_bearer(headers) {
        return Err(HttpError::unauthorized(bearer_challenge(TokenError::Missing), "unauthorized"));
    }
    match requester.authorize_role(place.role.as_deref()) {
        Ok(_) => Ok(requester),
        Err(error) => Err(authentication_error(&error, &requester)),
    }
}

/// Why the caller does not get in. Who has another role is told no more than a stranger.
pub(super) fn authentication_error(error: &Error, requester: &Requester) -> HttpError {
    let fault = match error {
        Error::Unauthenticated(fault) => *fault,
        Error::Forbidden => TokenError::SessionEnded,
        Error::PasswordChangeRequired => {
            return HttpError::unauthorized(bearer_challenge(TokenError::Missing), "password_change_required");
        }
        other => return HttpError::from_error(other, &requester.context),
    };
    let text = match fault {
        TokenError::Malformed | TokenError::Invalid => "invalid_token",
        TokenError::Expired => "signature_expired",
        TokenError::Missing | TokenError::Replaced | TokenError::SessionEnded => "unauthorized",
    };
    HttpError::unauthorized(bearer_challenge(fault), text)
}

/// Whether the header is `Bearer` and one word, to the letter: the old service took no other spelling.
fn has_exact_bearer(headers: &HeaderMap) -> bool {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.strip_prefix("Bearer ").is_some_and(|token| !token.is_empty() && !token.contains([' ', '\t']))
}
