//! Authentication by a bearer token whose user has the mount's role.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use super::mount_context::MountContext;
use crate::account::caller::request_auth::RequestAuth;
use crate::account::caller::requester::Requester;
use crate::app::App;
use crate::dialects::http_error::HttpError;
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
        return Err(HttpError::unauthorized(TokenError::Missing.bearer_challenge(), "unauthorized"));
    }
    match requester.authorize_role(mount.role.as_deref()) {
        Ok(_) => Ok(requester),
        Err(error) => Err(authentication_error(&error, &requester)),
    }
}

/// The response by the table of errors, except that the old service answered 401 where the table has 403: callers with
/// another role get the same response as anonymous ones.
pub(super) fn authentication_error(error: &Error, requester: &Requester) -> HttpError {
    let fault = match error {
        Error::Unauthenticated(fault) => *fault,
        Error::Forbidden => TokenError::SessionEnded,
        Error::PasswordChangeRequired => {
            return HttpError::unauthorized(TokenError::Missing.bearer_challenge(), "password_change_required");
        }
        other => return HttpError::from_error(other, &requester.context),
    };
    let text = match fault {
        TokenError::Malformed | TokenError::Invalid => "invalid_token",
        TokenError::Expired => "signature_expired",
        TokenError::Missing | TokenError::Replaced | TokenError::SessionEnded => "unauthorized",
    };
    HttpError::unauthorized(fault.bearer_challenge(), text)
}

/// Whether the header is exactly `Bearer` and one word: the old service accepted no other spelling.
fn has_exact_bearer(headers: &HeaderMap) -> bool {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.strip_prefix("Bearer ").is_some_and(|token| !token.is_empty() && !token.contains([' ', '\t']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::caller::request_context::RequestContext;
    use crate::account::caller::requester::Identity;
    use crate::error::ErrorKind::{Forbidden, PasswordChangeRequired};
    use crate::error::samples::assert_statuses;

    #[test]
    fn flask_auth_service_mongo_responds_by_the_table_except_for_401() {
        let context = RequestContext::new(None, None, String::new());
        let requester = Requester { identity: Identity::Anonymous, context };
        assert_statuses(
            |error| authentication_error(&error, &requester).status().as_u16(),
            &[(Forbidden, 401), (PasswordChangeRequired, 401)],
        );
    }
}
