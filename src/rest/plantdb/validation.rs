//! `/token-validation`: whose access token this is.

use axum::extract::State;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::answer::{Failure, why};
use super::api_token::flaw;
use super::login::person;
use crate::account::requester::Visitor;
use crate::app::App;
use crate::error::{Error, TokenFault};

/// Tells the user of an access token that opens the API.
pub(super) async fn validate(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
) -> Result<Json<Value>, Failure> {
    let client = visitor.client.clone();
    let requester = visitor.identify(&app).await.map_err(|error| Failure::other(&error, &client))?;
    let failed = |fault, why: &str| Failure::unauthorized(fault, format!("Token validation failed: {why}"));
    match requester.signed_in() {
        Ok(caller) if let Some(flaw) = caller.api_token().and_then(flaw) => Err(failed(TokenFault::Invalid, &flaw)),
        Ok(caller) => Ok(Json(json!({ "message": "Token validation successful", "user": person(&caller.user) }))),
        Err(Error::Unauthenticated(fault)) => Err(failed(fault, &why(&requester, fault))),
        Err(other) => Err(Failure::other(&other, &client)),
    }
}
