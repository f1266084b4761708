//! `/register`: an account, made by anybody if registration is open.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::arguments::Arguments;
use super::error::TecladocodeError;
use crate::account::authentication::register;
use crate::account::caller::requester::{RequestAuth, RequestContext};
use crate::account::user::query::NewUser;
use crate::app::App;
use crate::error::{Error, Refusal, RefusalCode};

/// Makes the account; its owner signs in afterwards.
pub(super) async fn register(
    State(app): State<App>,
    Extension(RequestAuth { context: client, .. }): Extension<RequestAuth>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), TecladocodeError> {
    let arguments = Arguments::read(&headers, bytes).await?;
    let (username, password) = (arguments.string("username")?, arguments.string("password")?);
    match create_user(&app, &client, &username, password).await {
        Ok(()) => Ok((StatusCode::CREATED, Json(json!({ "message": "User created successfully." })))),
        Err(Error::Refused(refusals)) => Err(refusal_error(refusals, &client)),
        Err(other) => Err(TecladocodeError::from_error(&other, &client)),
    }
}

async fn create_user(app: &App, client: &RequestContext, username: &str, password: String) -> Result<(), Error> {
    let user = NewUser::parse(username, None, None, password.into())?;
    register::register_only(app, client, user).await
}

/// The first refusal counts, as only the first argument that was wrong was told.
fn refusal_error(refusals: Vec<Refusal>, client: &RequestContext) -> TecladocodeError {
    let Some(first) = refusals.first() else { return TecladocodeError::from_error(&Error::Refused(refusals), client) };
    let message = first.message.clone();
    match (first.code, first.field) {
        (RefusalCode::UsernameTaken, _) => {
            TecladocodeError::new(StatusCode::BAD_REQUEST, "A user with that username already exists.")
        }
        (RefusalCode::RegistrationClosed, _) => TecladocodeError::new(StatusCode::FORBIDDEN, message),
        (_, Some(field)) if first.retry_after.is_none() => TecladocodeError::Argument(field, message),
        _ => TecladocodeError::from_error(&Error::Refused(refusals), client),
    }
}
