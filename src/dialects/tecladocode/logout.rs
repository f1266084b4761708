//! `/logout`: ends the session of the access token, or the API token.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::error::TecladocodeError;
use crate::account::authentication::logout;
use crate::account::caller::requester::{RequestAuth, Requester};
use crate::app::App;
use crate::error::{Error, TokenError};

/// Ends the session, both tokens, or revokes the API token.
pub(super) async fn logout(
    State(app): State<App>,
    Extension(visitor): Extension<RequestAuth>,
    headers: HeaderMap,
) -> Result<Json<Value>, TecladocodeError> {
    let requester = authenticate(&app, visitor, &headers).await?;
    let client = &requester.context;
    let number = requester.caller().map_err(|error| TecladocodeError::from_error(&error, client))?.user.id;
    logout::end_current_credential(&app, &requester)
        .await
        .map_err(|error| TecladocodeError::from_error(&error, client))?;
    Ok(Json(json!({ "message": format!("User <id={number}> successfully logged out.") })))
}

/// Whoever comes with the header.
///
/// # Errors
/// A header without a token in it, and internal ones.
pub(super) async fn authenticate(
    app: &App,
    visitor: RequestAuth,
    headers: &HeaderMap,
) -> Result<Requester, TecladocodeError> {
    let client = visitor.context.clone();
    let requester = visitor.authenticate(app).await.map_err(|error| TecladocodeError::from_error(&error, &client))?;
    match requester.caller() {
        Err(Error::Unauthenticated(TokenError::Missing)) if has_authorization(headers) => {
            Err(TecladocodeError::Token(TokenError::Malformed))
        }
        _ => Ok(requester),
    }
}

/// Whether the header is there at all: the old service told `Bearer` without a token from no header.
pub(super) fn has_authorization(headers: &HeaderMap) -> bool {
    headers.contains_key(AUTHORIZATION)
}
