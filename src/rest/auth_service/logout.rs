//! `/logout`: the end of the session.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::Place;
use super::caller::{caller, refused};
use crate::account::logout;
use crate::account::requester::Visitor;
use crate::app::App;
use crate::rest::failure::Failure;

/// Ends what the caller came with: the session with both its tokens, or the API token.
pub(super) async fn logout(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    Extension(place): Extension<Place>,
    headers: HeaderMap,
) -> Result<Json<Value>, Failure> {
    let requester = caller(&app, visitor, &headers, &place).await?;
    logout::leave(&app, &requester).await.map_err(|error| refused(&error, &requester))?;
    Ok(Json(json!({ "message": "ok" })))
}
