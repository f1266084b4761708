//! Who is calling: a bearer token of somebody with the role that the place is for.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use super::Place;
use crate::account::requester::{Requester, Visitor};
use crate::app::App;
use crate::error::{Error, TokenFault};
use crate::rest::failure::{Failure, challenge};

/// The caller, who may have to choose a new password.
///
/// # Errors
/// 401 in the old words for everybody else.
pub(super) async fn caller(
    app: &App,
    visitor: Visitor,
    headers: &HeaderMap,
    place: &Place,
) -> Result<Requester, Failure> {
    let client = visitor.client.clone();
    let requester = visitor.identify(app).await.map_err(|error| Failure::of(&error, &client))?;
    if !is_plain(headers) {
        return Err(Failure::unauthorized(challenge(TokenFault::Missing), "unauthorized"));
    }
    match requester.in_role(place.role.as_deref()) {
        Ok(_) => Ok(requester),
        Err(error) => Err(refused(&error, &requester)),
    }
}

/// Why the caller does not get in. Who has another role is told no more than a stranger.
pub(super) fn refused(error: &Error, requester: &Requester) -> Failure {
    let fault = match error {
        Error::Unauthenticated(fault) => *fault,
        Error::Forbidden => TokenFault::SessionEnded,
        Error::PasswordChangeRequired => {
            return Failure::unauthorized(challenge(TokenFault::Missing), "password_change_required");
        }
        other => return Failure::of(other, &requester.client),
    };
    let text = match fault {
        TokenFault::Malformed | TokenFault::Invalid => "invalid_token",
        TokenFault::Expired => "signature_expired",
        TokenFault::Missing | TokenFault::Replaced | TokenFault::SessionEnded => "unauthorized",
    };
    Failure::unauthorized(challenge(fault), text)
}

/// Whether the header is `Bearer` and one word, to the letter: the old service took no other spelling.
fn is_plain(headers: &HeaderMap) -> bool {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.strip_prefix("Bearer ").is_some_and(|token| !token.is_empty() && !token.contains([' ', '\t']))
}
