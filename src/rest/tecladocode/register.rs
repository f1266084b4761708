//! `/register`: an account, made by anybody if registration is open.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::answer::Failure;
use super::arguments::Arguments;
use crate::account::register;
use crate::account::requester::{Client, Visitor};
use crate::account::user::NewUser;
use crate::app::App;
use crate::error::{Error, Refusal, RefusalCode};

/// Makes the account; its owner signs in afterwards.
pub(super) async fn register(
    State(app): State<App>,
    Extension(Visitor { client, .. }): Extension<Visitor>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), Failure> {
    let arguments = Arguments::read(&headers, bytes).await?;
    let (username, password) = (arguments.text("username")?, arguments.text("password")?);
    match run(&app, &client, &username, password).await {
        Ok(()) => Ok((StatusCode::CREATED, Json(json!({ "message": "User created successfully." })))),
        Err(Error::Refused(refusals)) => Err(refused(refusals, &client)),
        Err(other) => Err(Failure::of(&other, &client)),
    }
}

async fn run(app: &App, client: &Client, username: &str, password: String) -> Result<(), Error> {
    let user = NewUser::parse(username, None, None, password.into())?;
    register::register_only(app, client, user).await
}

/// The first refusal counts, as only the first argument that was wrong was told.
fn refused(refusals: Vec<Refusal>, client: &Client) -> Failure {
    let Some(first) = refusals.first() else { return Failure::of(&Error::Refused(refusals), client) };
    let message = first.message.clone();
    match (first.code, first.field) {
        (RefusalCode::UsernameTaken, _) => {
            Failure::new(StatusCode::BAD_REQUEST, "A user with that username already exists.")
        }
        (RefusalCode::RegistrationClosed, _) => Failure::new(StatusCode::FORBIDDEN, message),
        (_, Some(field)) if first.retry_after.is_none() => Failure::Argument(field, message),
        _ => Failure::of(&Error::Refused(refusals), client),
    }
}
