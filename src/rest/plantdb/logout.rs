//! `/logout`: ends the session of the access token.

use axum::extract::State;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::answer::Failure;
use crate::account::logout;
use crate::account::requester::Visitor;
use crate::app::App;
use crate::error::{Error, TokenFault};

/// Ends the session; only a token that opens the API is enough here, because clients refresh and repeat on 401.
pub(super) async fn logout(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
) -> Result<Json<Value>, Failure> {
    let client = visitor.client.clone();
    match run(&app, visitor).await {
        Ok(username) => Ok(Json(json!({ "message": format!("Logout successful from {username}") }))),
        Err(Error::Unauthenticated(fault @ TokenFault::Missing)) => {
            Err(Failure::unauthorized(fault, "Logout failed, no active session!"))
        }
        Err(Error::Unauthenticated(fault)) => Err(Failure::unauthorized(fault, "Logout failed")),
        Err(other) => Err(Failure::other(&other, &client)),
    }
}

async fn run(app: &App, visitor: Visitor) -> Result<String, Error> {
    let requester = visitor.identify(app).await?;
    let caller = requester.signed_in()?;
    if caller.session().is_none() {
        // A program's token has no session to end.
        return Err(Error::Unauthenticated(TokenFault::Invalid));
    }
    let username = caller.user.username.clone();
    logout::end_current(app, &requester).await?;
    Ok(username)
}
