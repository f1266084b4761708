//! `/users/reset-password`: a new password for oneself, or by an administrator for somebody else.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::HeaderMap;
use axum::{Extension, Json};
use serde_json::{Map, Value};

use super::answer::Failure;
use super::credentials::requester;
use super::document::{Document, Field, Kind, required};
use super::person::person;
use crate::account::overwrite;
use crate::account::requester::Visitor;
use crate::app::App;
use crate::error::{Error, RefusalCode};

const FIELDS: [Field; 2] = [required("email", Kind::Text), required("password", Kind::Text)];

/// Sets the password. The fields are looked at before the caller is, as the old service did.
pub(super) async fn reset(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Map<String, Value>>, Failure> {
    let document = Document::read(&headers, bytes, &FIELDS)?;
    let requester = requester(&app, visitor, &headers).await?;
    let name = document.text("email");
    match overwrite::password(&app, &requester, name, document.text("password").into()).await {
        Ok(user) => Ok(Json(person(&user))),
        Err(Error::Refused(refusals)) if refusals.iter().any(|refusal| refusal.code == RefusalCode::NotFound) => {
            Err(Failure::unprocessable("UNPROCESSABLE_ENTITY", format!("User '{name}' doesn't exist.")))
        }
        Err(other) => Err(Failure::other(&other, &requester.client)),
    }
}
