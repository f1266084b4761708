//! Authentication by a bearer token whose user has the mount's role.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use super::mount_context::MountContext;
use crate::account::caller::request_auth::RequestAuth;
use crate::account::caller::requester::Requester;
use crate::app::App;
use crate::dialects::http_error::{HttpError, bearer_challenge};
use crate::error::{Error, TokenError};

/// The authenticated caller, including one who must change the password.
///
/// # Errors
/// 401 with the old service's texts.
pub(super) async fn authenticate(
    app: &App,
    auth: RequestAuth,
    headers: &HeaderMap,
    mount: &MountContext,
) -> Result<Requester, HttpError> {
    let context = auth.context.clone();
    let requester = auth.authenticate(app).await.map_err(|error| HttpError::from_error(&error, &context))?;
    if !has_exact_bearer(headers) {
        return Err(HttpError::unauthorized(bearer_challenge(TokenError::Missing), "unauthorized"));
    }
    match requester.authorize_role(mount.role.as_deref()) {
        Ok(_) => Ok(requester),
        Err(error) => Err(authentication_error(&error, &requester)),
    }
}

/// Maps an authentication error. Callers with another role get the same response as anonymous ones.
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

/// Whether the header is exactly `Bearer` and one word: the old service accepted no other spelling.
fn has_exact_bearer(headers: &HeaderMap) -> bool {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.strip_prefix("Bearer ").is_some_and(|token| !token.is_empty() && !token.contains([' ', '\t']))
}
