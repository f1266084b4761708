//! `/logout`: ends the session of the access token, or the API token.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::answer::Failure;
use crate::account::logout;
use crate::account::requester::{Requester, Visitor};
use crate::app::App;
use crate::error::{Error, TokenFault};

/// Ends the session, both tokens, or revokes the API token.
pub(super) async fn logout(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
) -> Result<Json<Value>, Failure> {
    let requester = caller(&app, visitor, &headers).await?;
    let client = &requester.client;
    let number = requester.signed_in().map_err(|error| Failure::of(&error, client))?.user.id;
    logout::leave(&app, &requester).await.map_err(|error| Failure::of(&error, client))?;
    Ok(Json(json!({ "message": format!("User <id={number}> successfully logged out.") })))
}

/// Whoever comes with the header.
///
/// # Errors
/// A header without a token in it, and internal ones.
pub(super) async fn caller(app: &App, visitor: Visitor, headers: &HeaderMap) -> Result<Requester, Failure> {
    let client = visitor.client.clone();
    let requester = visitor.identify(app).await.map_err(|error| Failure::of(&error, &client))?;
    match requester.signed_in() {
        Err(Error::Unauthenticated(TokenFault::Missing)) if is_bare(headers) => {
            Err(Failure::Token(TokenFault::Malformed))
        }
        _ => Ok(requester),
    }
}

/// Whether the header is there at all: the old service told `Bearer` without a token from no header.
pub(super) fn is_bare(headers: &HeaderMap) -> bool {
    headers.contains_key(AUTHORIZATION)
}
