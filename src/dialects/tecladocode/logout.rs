//! `/logout`: ends the session of the access token, or revokes the API token.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::authentication::authenticate;
use super::error::TecladocodeError;
use crate::account::authentication::logout;
use crate::account::caller::request_auth::RequestAuth;
use crate::app::App;

/// Ends the session with both its tokens, or revokes the API token.
pub(super) async fn logout(
    State(app): State<App>,
    Extension(auth): Extension<RequestAuth>,
    headers: HeaderMap,
) -> Result<Json<Value>, TecladocodeError> {
    let requester = authenticate(&app, auth, &headers).await?;
    let context = &requester.context;
    let row_id = requester.authenticated().map_err(|error| TecladocodeError::from_error(&error, context))?.user.id;
    logout::end_current_credential(&app, &requester)
        .await
        .map_err(|error| TecladocodeError::from_error(&error, context))?;
    Ok(Json(json!({ "message": format!("User <id={row_id}> successfully logged out.") })))
}
