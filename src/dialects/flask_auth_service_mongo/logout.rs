//! `/logout`: the end of the session.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::MountContext;
use super::authentication::{authenticate, authentication_error};
use crate::account::authentication::logout;
use crate::account::caller::requester::RequestAuth;
use crate::app::App;
use crate::dialects::http_error::HttpError;

/// Ends what the caller came with: the session with both its tokens, or the API token.
pub(super) async fn logout(
    State(app): State<App>,
    Extension(visitor): Extension<RequestAuth>,
    Extension(place): Extension<MountContext>,
    headers: HeaderMap,
) -> Result<Json<Value>, HttpError> {
    let requester = authenticate(&app, visitor, &headers, &place).await?;
    logout::end_current_credential(&app, &requester).await.map_err(|error| authentication_error(&error, &requester))?;
    Ok(Json(json!({ "message": "ok" })))
}
