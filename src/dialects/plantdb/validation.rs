//! `/token-validation`: whose access token this is.

use axum::extract::State;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::api_token::invalid_scope;
use super::error::{PlantdbError, access_token_message};
use super::login::user_json;
use crate::account::caller::requester::RequestAuth;
use crate::app::App;
use crate::error::{Error, TokenError};

/// Tells the user of an access token that opens the API.
pub(super) async fn validate(
    State(app): State<App>,
    Extension(visitor): Extension<RequestAuth>,
) -> Result<Json<Value>, PlantdbError> {
    let client = visitor.context.clone();
    let requester = visitor.authenticate(&app).await.map_err(|error| PlantdbError::from_error(&error, &client))?;
    let failed = |fault, why: &str| PlantdbError::unauthorized(fault, format!("Token validation failed: {why}"));
    match requester.caller() {
        Ok(caller) if let Some(flaw) = caller.api_token().and_then(invalid_scope) => {
            Err(failed(TokenError::Invalid, &flaw))
        }
        Ok(caller) => Ok(Json(json!({ "message": "Token validation successful", "user": user_json(&caller.user) }))),
        Err(Error::Unauthenticated(fault)) => Err(failed(fault, &access_token_message(&requester, fault))),
        Err(other) => Err(PlantdbError::from_error(&other, &client)),
    }
}
