//! `/register`: an account, made by an administrator.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::answer::{Failure, why};
use super::{Release, body};
use crate::account::attempt::{LegacyRoute, knock};
use crate::account::requester::{Requester, Visitor};
use crate::account::user::NewUser;
use crate::account::{access, administration};
use crate::app::App;
use crate::error::{Error, Refusal, RefusalCode, TokenFault};
use crate::rest::flask;

/// What the caller sent.
struct Input<'a> {
    /// As it was typed.
    username: &'a str,
    fullname: &'a str,
    password: &'a str,
}

/// Makes the account. The fields are looked at before the caller is, as the old service did.
pub(super) async fn register(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    Extension(release): Extension<Release>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), Failure> {
    let client = visitor.client.clone();
    knock(&app, &client, LegacyRoute::Register).await.map_err(|error| Failure::other(&error, &client))?;
    let body = flask::read(&headers, bytes)?;
    let input = input(&body).map_err(|failure| failure.flagged("success"))?;
    let requester = visitor.identify(&app).await.map_err(|error| Failure::other(&error, &client))?;
    let text = match release {
        Release::Old => "User successfully created".to_owned(),
        Release::New => format!("User {} successfully created", input.username),
    };
    // The old service stores names in lower case.
    let username = input.username.to_lowercase();
    match run(&app, &requester, &username, &input).await {
        Ok(()) => Ok((StatusCode::CREATED, Json(json!({ "message": text })))),
        Err(error) => Err(refused(&error, &requester, &username)),
    }
}

fn input(body: &Value) -> Result<Input<'_>, Failure> {
    let field =
        |name| body::text(body, name, "Missing required fields. Please provide username, fullname, and password");
    Ok(Input { username: field("username")?, fullname: field("fullname")?, password: field("password")? })
}

async fn run(app: &App, requester: &Requester, username: &str, input: &Input<'_>) -> Result<(), Error> {
    // Strangers are not told what is wrong with a name.
    requester.permit(access::WRITE_USERS)?;
    let fullname = Some(input.fullname).filter(|name| !name.trim().is_empty());
    let user = NewUser::parse(username, None, fullname, input.password.into())?;
    administration::create(app, requester, user, Vec::new()).await?;
    Ok(())
}

fn refused(error: &Error, requester: &Requester, username: &str) -> Failure {
    match error {
        Error::Unauthenticated(fault @ TokenFault::Missing) => Failure::unauthorized(*fault, "No authenticated user!"),
        Error::Unauthenticated(fault) => Failure::unauthorized(*fault, why(requester, *fault)),
        Error::Forbidden => {
            let caller = requester.signed_in().map(|caller| caller.user.username.as_str()).unwrap_or_default();
            Failure::forbidden(format!(
                "Failed to create user: User {caller} does not have required permissions to use create_user"
            ))
        }
        Error::Refused(refusals) => impossible(refusals, username),
        other => Failure::other(other, &requester.client),
    }
}

fn impossible(refusals: &[Refusal], username: &str) -> Failure {
    match refusals.first().map(|refusal| refusal.code) {
        Some(RefusalCode::UsernameTaken) => {
            Failure::new(StatusCode::CONFLICT, format!("Failed to create user: User '{username}' already exists"))
        }
        Some(RefusalCode::RegistrationClosed) => {
            Failure::new(StatusCode::FORBIDDEN, "Failed to create user: no accounts are made here")
        }
        _ => {
            let reasons: Vec<String> = refusals.iter().map(reason).collect();
            Failure::bad_request(format!("Failed to create user: {}", reasons.join("; "))).flagged("success")
        }
    }
}

/// What is wrong with a field, by the dialect's name for it.
fn reason(refusal: &Refusal) -> String {
    let field = match refusal.field {
        Some("displayName") => "fullname",
        Some(field) => field,
        None => return refusal.message.clone(),
    };
    format!("{field}: {}", refusal.message)
}
