//! `/user/<id>`: reads and deletes a user by row id; requires the user or an administrator. The old service required no
//! authentication.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::authentication::authenticate;
use super::error::TecladocodeError;
use crate::account::administration::by_row_id;
use crate::account::caller::request_auth::RequestAuth;
use crate::app::App;
use crate::error::{Error, RefusalCode};

/// Returns the user.
pub(super) async fn show(
    State(app): State<App>,
    Extension(auth): Extension<RequestAuth>,
    headers: HeaderMap,
    path: Result<Path<String>, PathRejection>,
) -> Result<Json<Value>, TecladocodeError> {
    let row_id = parse_id(path)?;
    let requester = authenticate(&app, auth, &headers).await?;
    match by_row_id::find(&app, &requester, row_id).await {
        Ok(Some(user)) => Ok(Json(json!({ "id": user.id, "username": user.username }))),
        Ok(None) => Err(TecladocodeError::user_not_found()),
        Err(error) => Err(TecladocodeError::from_error(&error, &requester.context)),
    }
}

/// Deletes the user.
pub(super) async fn delete(
    State(app): State<App>,
    Extension(auth): Extension<RequestAuth>,
    headers: HeaderMap,
    path: Result<Path<String>, PathRejection>,
) -> Result<Json<Value>, TecladocodeError> {
    let row_id = parse_id(path)?;
    let requester = authenticate(&app, auth, &headers).await?;
    match by_row_id::delete(&app, &requester, row_id).await {
        Ok(()) => Ok(Json(json!({ "message": "User deleted." }))),
        Err(Error::Refused(refusals)) if refusals.iter().any(|refusal| refusal.code == RefusalCode::NotFound) => {
            Err(TecladocodeError::user_not_found())
        }
        Err(error) => Err(TecladocodeError::from_error(&error, &requester.context)),
    }
}

/// Parses an id of digits; an id out of range belongs to no user.
fn parse_id(path: Result<Path<String>, PathRejection>) -> Result<i64, TecladocodeError> {
    let text = path.map(|Path(text)| text).unwrap_or_default();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(TecladocodeError::RouteNotFound);
    }
    text.parse().map_err(|_| TecladocodeError::user_not_found())
}
