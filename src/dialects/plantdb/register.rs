//! `/register`: creates a user; requires an administrator.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::body;
use super::error::{PlantdbError, access_token_message};
use super::release::Release;
use crate::account::access::rule;
use crate::account::administration::user_lifecycle;
use crate::account::caller::rate_limit::{LegacyRoute, count_legacy_call};
use crate::account::caller::request_auth::RequestAuth;
use crate::account::caller::requester::Requester;
use crate::account::user::new_user::NewUser;
use crate::app::App;
use crate::dialects::werkzeug;
use crate::error::{Error, Refusal, RefusalCode, TokenError};

/// Fields of the request.
struct Input<'a> {
    /// As sent, before lower-casing.
    username: &'a str,
    fullname: &'a str,
    password: &'a str,
}

/// Creates the user. Validates the fields before it authenticates the caller, as the old service did.
pub(super) async fn register(
    State(app): State<App>,
    Extension(auth): Extension<RequestAuth>,
    Extension(release): Extension<Release>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), PlantdbError> {
    let context = auth.context.clone();
    count_legacy_call(&app, &context, LegacyRoute::Register)
        .await
        .map_err(|error| PlantdbError::from_error(&error, &context))?;
    let body = werkzeug::read_json(&headers, bytes)?;
    let input = parse_input(&body).map_err(|error| error.with_false_field("success"))?;
    let requester = auth.authenticate(&app).await.map_err(|error| PlantdbError::from_error(&error, &context))?;
    let text = match release {
        Release::Old => "User successfully created".to_owned(),
        Release::New => format!("User {} successfully created", input.username),
    };
    // The old service stores usernames in lower case.
    let username = input.username.to_lowercase();
    match create_user(&app, &requester, &username, &input).await {
        Ok(()) => Ok((StatusCode::CREATED, Json(json!({ "message": text })))),
        Err(error) => Err(register_error(&error, &requester, &username)),
    }
}

fn parse_input(body: &Value) -> Result<Input<'_>, PlantdbError> {
    let field =
        |name| body::string(body, name, "Missing required fields. Please provide username, fullname, and password");
    Ok(Input { username: field("username")?, fullname: field("fullname")?, password: field("password")? })
}

async fn create_user(app: &App, requester: &Requester, username: &str, input: &Input<'_>) -> Result<(), Error> {
    // Checked first: an unauthenticated caller must not learn why a name is invalid.
    requester.authorize(rule::WRITE_USERS)?;
    let fullname = Some(input.fullname).filter(|name| !name.trim().is_empty());
    let user = NewUser::parse(username, None, fullname, input.password.into())?;
    user_lifecycle::create(app, requester, user, Vec::new()).await?;
    Ok(())
}

fn register_error(error: &Error, requester: &Requester, username: &str) -> PlantdbError {
    match error {
        Error::Unauthenticated(fault @ TokenError::Missing) => {
            PlantdbError::unauthorized(*fault, "No authenticated user!")
        }
        Error::Unauthenticated(fault) => PlantdbError::unauthorized(*fault, access_token_message(requester, *fault)),
        Error::Forbidden => {
            let caller = requester.caller().map(|caller| caller.user.username.as_str()).unwrap_or_default();
            PlantdbError::forbidden(format!(
                "Failed to create user: User {caller} does not have required permissions to use create_user"
            ))
        }
        Error::Refused(refusals) => refusal_error(refusals, username),
        other => PlantdbError::from_error(other, &requester.context),
    }
}

fn refusal_error(refusals: &[Refusal], username: &str) -> PlantdbError {
    match refusals.first().map(|refusal| refusal.code) {
        Some(RefusalCode::UsernameTaken) => {
            PlantdbError::new(StatusCode::CONFLICT, format!("Failed to create user: User '{username}' already exists"))
        }
        Some(RefusalCode::RegistrationClosed) => {
            PlantdbError::new(StatusCode::FORBIDDEN, "Failed to create user: registration is closed")
        }
        _ => {
            let reasons: Vec<String> = refusals.iter().map(refusal_message).collect();
            PlantdbError::bad_request(format!("Failed to create user: {}", reasons.join("; ")))
                .with_false_field("success")
        }
    }
}

/// A field's error, under the dialect's name for the field.
fn refusal_message(refusal: &Refusal) -> String {
    let field = match refusal.field {
        Some("displayName") => "fullname",
        Some(field) => field,
        None => return refusal.message.clone(),
    };
    format!("{field}: {}", refusal.message)
}
