//! `/token-validation`: returns the user of an access token.

use axum::extract::State;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::api_token::invalid_scope;
use super::error::{PlantdbError, access_token_message};
use super::login::user_json;
use crate::account::caller::request_auth::RequestAuth;
use crate::app::App;
use crate::error::{Error, TokenError};

/// Returns the user of a valid access token.
pub(super) async fn validate(
    State(app): State<App>,
    Extension(auth): Extension<RequestAuth>,
) -> Result<Json<Value>, PlantdbError> {
    let context = auth.context.clone();
    let requester = auth.authenticate(&app).await.map_err(|error| PlantdbError::from_error(&error, &context))?;
    let failed = |fault, why: &str| PlantdbError::unauthorized(fault, format!("Token validation failed: {why}"));
    match requester.caller() {
        Ok(caller) if let Some(flaw) = caller.api_token().and_then(invalid_scope) => {
            Err(failed(TokenError::Invalid, &flaw))
        }
        Ok(caller) => Ok(Json(json!({ "message": "Token validation successful", "user": user_json(&caller.user) }))),
        Err(Error::Unauthenticated(fault)) => Err(failed(fault, &access_token_message(&requester, fault))),
        Err(other) => Err(PlantdbError::from_error(&other, &context)),
    }
}
