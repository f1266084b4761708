//! `/logout`: ends the session, or revokes the API token.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::authentication::{authenticate, authentication_error};
use super::mount_context::MountContext;
use crate::account::authentication::logout;
use crate::account::caller::request_auth::RequestAuth;
use crate::app::App;
use crate::dialects::http_error::HttpError;

/// Ends the session of the access token, with both its tokens, or revokes the API token.
pub(super) async fn logout(
    State(app): State<App>,
    Extension(auth): Extension<RequestAuth>,
    Extension(mount): Extension<MountContext>,
    headers: HeaderMap,
) -> Result<Json<Value>, HttpError> {
    let requester = authenticate(&app, auth, &headers, &mount).await?;
    logout::end_current_credential(&app, &requester).await.map_err(|error| authentication_error(&error, &requester))?;
    Ok(Json(json!({ "message": "ok" })))
}
