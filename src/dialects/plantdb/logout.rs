//! `/logout`: ends the session of the access token.

use axum::extract::State;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::error::PlantdbError;
use crate::account::authentication::logout;
use crate::account::caller::request_auth::RequestAuth;
use crate::app::App;
use crate::error::{Error, TokenError};

/// Ends the session. Requires a valid access token, because clients refresh and retry on 401.
pub(super) async fn logout(
    State(app): State<App>,
    Extension(auth): Extension<RequestAuth>,
) -> Result<Json<Value>, PlantdbError> {
    let context = auth.context.clone();
    match end_session(&app, auth).await {
        Ok(username) => Ok(Json(json!({ "message": format!("Logout successful from {username}") }))),
        Err(Error::Unauthenticated(fault @ TokenError::Missing)) => {
            Err(PlantdbError::unauthorized(fault, "Logout failed, no active session!"))
        }
        Err(Error::Unauthenticated(fault)) => Err(PlantdbError::unauthorized(fault, "Logout failed")),
        Err(other) => Err(PlantdbError::from_error(&other, &context)),
    }
}

async fn end_session(app: &App, auth: RequestAuth) -> Result<String, Error> {
    let requester = auth.authenticate(app).await?;
    let caller = requester.authenticated()?;
    if caller.session().is_none() {
        // An API token has no session to end.
        return Err(Error::Unauthenticated(TokenError::Invalid));
    }
    let username = caller.user.username.clone();
    logout::end_current_session(app, &requester).await?;
    Ok(username)
}
