//! `/token-validation`: whose access token this is.

use axum::extract::State;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::answer::{Failure, why};
use super::login::person;
use crate::account::requester::Visitor;
use crate::app::App;
use crate::error::Error;

/// Tells the user of an access token that opens the API.
pub(super) async fn validate(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
) -> Result<Json<Value>, Failure> {
    let client = visitor.client.clone();
    let requester = visitor.identify(&app).await.map_err(|error| Failure::other(&error, &client))?;
    match requester.signed_in() {
        Ok(caller) => Ok(Json(json!({ "message": "Token validation successful", "user": person(&caller.user) }))),
        Err(Error::Unauthenticated(fault)) => {
            Err(Failure::unauthorized(fault, format!("Token validation failed: {}", why(&requester, fault))))
        }
        Err(other) => Err(Failure::other(&other, &client)),
    }
}
