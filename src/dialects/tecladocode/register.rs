//! `/register`: creates a user without authentication, if registration is open.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::arguments::Arguments;
use super::error::TecladocodeError;
use crate::account::authentication::register;
use crate::account::caller::request_auth::RequestAuth;
use crate::account::caller::request_context::RequestContext;
use crate::account::user::new_user::NewUser;
use crate::app::App;
use crate::error::{Error, Refusal, RefusalCode};

/// Creates the user; opens no session.
pub(super) async fn register(
    State(app): State<App>,
    Extension(RequestAuth { context, .. }): Extension<RequestAuth>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), TecladocodeError> {
    let arguments = Arguments::read(&headers, bytes).await?;
    let (username, password) = (arguments.string("username")?, arguments.string("password")?);
    match create_user(&app, &context, &username, password).await {
        Ok(()) => Ok((StatusCode::CREATED, Json(json!({ "message": "User created successfully." })))),
        Err(Error::Refused(refusals)) => Err(refusal_error(refusals, &context)),
        Err(other) => Err(TecladocodeError::from_error(&other, &context)),
    }
}

async fn create_user(app: &App, context: &RequestContext, username: &str, password: String) -> Result<(), Error> {
    let user = NewUser::parse(username, None, None, password.into())?;
    register::register_only(app, context, user).await
}

/// Maps the first refusal only: the old service reports one argument at a time.
fn refusal_error(refusals: Vec<Refusal>, context: &RequestContext) -> TecladocodeError {
    let Some(first) = refusals.first() else { return TecladocodeError::from_error(&Error::Refused(refusals), context) };
    let message = first.message.clone();
    match (first.code, first.field) {
        (RefusalCode::UsernameTaken, _) => {
            TecladocodeError::new(StatusCode::BAD_REQUEST, "A user with that username already exists.")
        }
        (RefusalCode::RegistrationClosed, _) => TecladocodeError::new(StatusCode::FORBIDDEN, message),
        (_, Some(field)) if first.retry_after.is_none() => TecladocodeError::Argument(field, message),
        _ => TecladocodeError::from_error(&Error::Refused(refusals), context),
    }
}
