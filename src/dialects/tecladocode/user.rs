//! `/user/<number>`: an account, shown to and deleted by its owner or an administrator. The old service asked nobody who
//! they were.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::error::TecladocodeError;
use super::logout::authenticate;
use crate::account::caller::requester::RequestAuth;
use crate::account::user::by_row_id;
use crate::app::App;
use crate::error::{Error, RefusalCode};

/// Shows the user.
pub(super) async fn show(
    State(app): State<App>,
    Extension(visitor): Extension<RequestAuth>,
    headers: HeaderMap,
    path: Result<Path<String>, PathRejection>,
) -> Result<Json<Value>, TecladocodeError> {
    let number = parse_id(path)?;
    let requester = authenticate(&app, visitor, &headers).await?;
    match by_row_id::find(&app, &requester, number).await {
        Ok(Some(user)) => Ok(Json(json!({ "id": user.id, "username": user.username }))),
        Ok(None) => Err(TecladocodeError::user_not_found()),
        Err(error) => Err(TecladocodeError::from_error(&error, &requester.context)),
    }
}

/// Deletes the user.
pub(super) async fn delete(
    State(app): State<App>,
    Extension(visitor): Extension<RequestAuth>,
    headers: HeaderMap,
    path: Result<Path<String>, PathRejection>,
) -> Result<Json<Value>, TecladocodeError> {
    let number = parse_id(path)?;
    let requester = authenticate(&app, visitor, &headers).await?;
    match by_row_id::delete(&app, &requester, number).await {
        Ok(()) => Ok(Json(json!({ "message": "User deleted." }))),
        Err(Error::Refused(refusals)) if refusals.iter().any(|refusal| refusal.code == RefusalCode::NotFound) => {
            Err(TecladocodeError::user_not_found())
        }
        Err(error) => Err(TecladocodeError::from_error(&error, &requester.context)),
    }
}

/// Digits alone are a number; one that is too large is nobody's.
fn parse_id(path: Result<Path<String>, PathRejection>) -> Result<i64, TecladocodeError> {
    let text = path.map(|Path(text)| text).unwrap_or_default();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(TecladocodeError::RouteNotFound);
    }
    text.parse().map_err(|_| TecladocodeError::user_not_found())
}
