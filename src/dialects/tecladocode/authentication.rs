//! Authentication by a bearer token, with the old service's errors.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use super::error::TecladocodeError;
use crate::account::caller::request_auth::RequestAuth;
use crate::account::caller::requester::Requester;
use crate::app::App;
use crate::error::{Error, TokenError};

/// The caller; anonymous without an `Authorization` header.
///
/// # Errors
/// 401 for a header without a token.
pub(super) async fn authenticate(
    app: &App,
    auth: RequestAuth,
    headers: &HeaderMap,
) -> Result<Requester, TecladocodeError> {
    let context = auth.context.clone();
    let requester = auth.authenticate(app).await.map_err(|error| TecladocodeError::from_error(&error, &context))?;
    match requester.caller() {
        Err(Error::Unauthenticated(TokenError::Missing)) if has_authorization(headers) => {
            Err(TecladocodeError::Token(TokenError::Malformed))
        }
        _ => Ok(requester),
    }
}

/// Whether the header is present: the old service distinguishes `Bearer` without a token from no header.
pub(super) fn has_authorization(headers: &HeaderMap) -> bool {
    headers.contains_key(AUTHORIZATION)
}
