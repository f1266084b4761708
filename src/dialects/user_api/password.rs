//! `/users/reset-password`: sets one's own password, or another user's as administrator.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::HeaderMap;
use axum::{Extension, Json};
use serde_json::{Map, Value};

use super::credentials::authenticate;
use super::document::{Document, Field, FieldType, required};
use super::error::UserApiError;
use super::representation::user_json;
use crate::account::administration::replace;
use crate::account::caller::request_auth::RequestAuth;
use crate::app::App;
use crate::error::{Error, RefusalCode};

const FIELDS: [Field; 2] = [required("email", FieldType::String), required("password", FieldType::String)];

/// Sets the password. Validates the fields before it authenticates the caller, as the old service did.
pub(super) async fn reset(
    State(app): State<App>,
    Extension(auth): Extension<RequestAuth>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Map<String, Value>>, UserApiError> {
    let document = Document::read(&headers, bytes, &FIELDS)?;
    let requester = authenticate(&app, auth, &headers).await?;
    let name = document.string("email");
    match replace::reset_password(&app, &requester, name, document.string("password").into()).await {
        Ok(user) => Ok(Json(user_json(&user))),
        Err(Error::Refused(refusals)) if refusals.iter().any(|refusal| refusal.code == RefusalCode::NotFound) => {
            Err(UserApiError::unprocessable("UNPROCESSABLE_ENTITY", format!("User '{name}' doesn't exist.")))
        }
        Err(other) => Err(UserApiError::from_error(&other, &requester.context)),
    }
}
