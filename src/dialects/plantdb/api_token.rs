//! `/create-api-token`: a token for programs, and what it means to the services that hold the datasets.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use chrono::SecondsFormat;
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use super::error::{PlantdbError, access_token_message};
use crate::account::api_token::new_token::{self, Lifetime, NewApiToken, Scopes};
use crate::account::api_token::token::ApiToken;
use crate::account::api_token::{CreatedApiToken, SecretFormat};
use crate::account::caller::requester::{RequestAuth, Requester};
use crate::account::user::name::Name;
use crate::app::App;
use crate::dialects::werkzeug;
use crate::error::{Error, TokenError};

/// What a token can be for; the old service knows these words alone.
const PERMISSIONS: [&str; 6] = ["read", "write", "create", "delete", "manage_users", "manage_groups"];

/// Makes a token for the caller. It opens nothing here: its datasets are scopes, which others ask for.
pub(super) async fn create(
    State(app): State<App>,
    Extension(visitor): Extension<RequestAuth>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, PlantdbError> {
    let client = visitor.context.clone();
    let body = werkzeug::read_json(&headers, bytes)?;
    let datasets = body.get("datasets").ok_or_else(|| PlantdbError::bad_request("Missing \"datasets\" field"))?;
    let lifetime = body.get("token_exp").ok_or_else(|| PlantdbError::bad_request("Missing \"token_exp\" field"))?;
    let (scopes, lifetime) = (parse_scopes(datasets)?, parse_lifetime(lifetime)?);
    let requester = visitor.authenticate(&app).await.map_err(|error| PlantdbError::from_error(&error, &client))?;
    let CreatedApiToken { token, secret } = create_token(&app, &requester, scopes, lifetime)
        .await
        .map_err(|error| create_token_error(&error, &requester))?;
    Ok(Json(json!({
        "message": "API Token generated successfully",
        "api_token": secret.expose_secret(),
        "expiration date": token.row.expires_at.map(|end| end.utc().to_rfc3339_opts(SecondsFormat::Secs, true)),
    })))
}

async fn create_token(
    app: &App,
    requester: &Requester,
    scopes: Vec<String>,
    lifetime: Lifetime,
) -> Result<CreatedApiToken, Error> {
    let draft = NewApiToken {
        name: Name::parse("PlantDB")?,
        note: None,
        permissions: Some([].into()),
        scopes: Scopes::parse(scopes)?,
        lifetime: Some(lifetime),
    };
    crate::account::api_token::create(app, requester, draft, SecretFormat::Dotted).await
}

/// `GLOB/PERMISSION,PERMISSION` for each dataset, as in the old service's tokens.
fn parse_scopes(datasets: &Value) -> Result<Vec<String>, PlantdbError> {
    let wrong = || PlantdbError::bad_request("datasets must map names to lists of permissions");
    let word = |permission: &Value| {
        // What separates the parts of a scope is no part of one.
        permission.as_str().filter(|word| !word.contains(['/', ','])).map(str::to_owned)
    };
    let scope = |(glob, permissions): (&String, &Value)| {
        let words: Option<Vec<String>> = permissions.as_array()?.iter().map(word).collect();
        Some(format!("{glob}/{}", words?.join(",")))
    };
    let datasets: &Map<String, Value> = datasets.as_object().ok_or_else(wrong)?;
    datasets.iter().map(|dataset| scope(dataset).ok_or_else(wrong)).collect()
}

/// Seconds, as a number or as one in quotes.
fn parse_lifetime(seconds: &Value) -> Result<Lifetime, PlantdbError> {
    let seconds = match seconds {
        Value::String(text) => text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten(),
        other => other.as_f64(),
    };
    let seconds = seconds.ok_or_else(|| PlantdbError::bad_request("token_exp must be a number of seconds"))?;
    // A float that is no whole number, or too large for one, is cut to the nearest.
    new_token::parse_lifetime(seconds as i64)
        .map_err(|_| PlantdbError::new(StatusCode::UNAUTHORIZED, "Could not create token."))
}

fn create_token_error(error: &Error, requester: &Requester) -> PlantdbError {
    let text = |why: &str| format!("Token creation failed: {why}");
    match error {
        Error::Unauthenticated(fault @ TokenError::Missing) => {
            PlantdbError::unauthorized(*fault, text("No authenticated user!"))
        }
        Error::Unauthenticated(fault) => {
            PlantdbError::unauthorized(*fault, text(&access_token_message(requester, *fault)))
        }
        Error::Forbidden => PlantdbError::forbidden(text("an API token makes no other")),
        other => PlantdbError::from_error(other, &requester.context),
    }
}

/// Why the old service would not take an API token: it is for no dataset, or for something that is no permission.
pub(super) fn invalid_scope(token: &ApiToken) -> Option<String> {
    let mut datasets = token.scopes.iter().filter_map(|scope| scope.rsplit_once('/')).peekable();
    if datasets.peek().is_none() {
        return Some("`dataset_permissions` argument must be provided.".to_owned());
    }
    let words = datasets.flat_map(|(_, words)| words.split(',')).filter(|word| !word.is_empty());
    let known = |word: &str| {
        let name = word.strip_prefix("Permission.").map(str::to_ascii_lowercase);
        PERMISSIONS.contains(&name.as_deref().unwrap_or(word))
    };
    words.into_iter().find(|word| !known(word)).map(|word| format!("Unknown permission string: '{word}'"))
}
