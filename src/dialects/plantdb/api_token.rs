//! `/create-api-token`: API tokens whose scopes are PlantDB dataset permissions.

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
use crate::account::api_token::{CreatedApiToken, SecretFormat};
use crate::account::caller::api_token::ApiToken;
use crate::account::caller::request_auth::RequestAuth;
use crate::account::caller::requester::Requester;
use crate::account::names::name::Name;
use crate::app::App;
use crate::dialects::werkzeug;
use crate::error::{Error, TokenError};

/// Dataset permissions that the old service accepts.
const PERMISSIONS: [&str; 6] = ["read", "write", "create", "delete", "manage_users", "manage_groups"];

/// Creates an API token without permissions here: its datasets become scopes, which the dataset services read.
pub(super) async fn create(
    State(app): State<App>,
    Extension(auth): Extension<RequestAuth>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, PlantdbError> {
    let context = auth.context.clone();
    let body = werkzeug::read_json(&headers, bytes)?;
    let datasets = body.get("datasets").ok_or_else(|| PlantdbError::bad_request("Missing \"datasets\" field"))?;
    let lifetime = body.get("token_exp").ok_or_else(|| PlantdbError::bad_request("Missing \"token_exp\" field"))?;
    let (scopes, lifetime) = (parse_scopes(datasets)?, parse_lifetime(lifetime)?);
    let requester = auth.authenticate(&app).await.map_err(|error| PlantdbError::from_error(&error, &context))?;
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
    let new = NewApiToken {
        name: Name::parse("PlantDB")?,
        note: None,
        permissions: Some([].into()),
        scopes: Scopes::parse(scopes)?,
        lifetime: Some(lifetime),
    };
    crate::account::api_token::create(app, requester, new, SecretFormat::Dotted).await
}

/// One scope `GLOB/PERMISSION,PERMISSION` per dataset, as in the old service's tokens.
fn parse_scopes(datasets: &Value) -> Result<Vec<String>, PlantdbError> {
    let wrong = || PlantdbError::bad_request("datasets must map names to lists of permissions");
    let word = |permission: &Value| {
        // A permission must not contain the separators of a scope.
        permission.as_str().filter(|word| !word.contains(['/', ','])).map(str::to_owned)
    };
    let scope = |(glob, permissions): (&String, &Value)| {
        let words: Option<Vec<String>> = permissions.as_array()?.iter().map(word).collect();
        Some(format!("{glob}/{}", words?.join(",")))
    };
    let datasets: &Map<String, Value> = datasets.as_object().ok_or_else(wrong)?;
    datasets.iter().map(|dataset| scope(dataset).ok_or_else(wrong)).collect()
}

/// Seconds, as a JSON number or a string of digits.
fn parse_lifetime(seconds: &Value) -> Result<Lifetime, PlantdbError> {
    let seconds = match seconds {
        Value::String(text) => text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten(),
        other => other.as_f64(),
    };
    let seconds = seconds.ok_or_else(|| PlantdbError::bad_request("token_exp must be a number of seconds"))?;
    // The cast truncates a fraction and saturates a value out of range.
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
        Error::Forbidden => PlantdbError::forbidden(text("an API token cannot create API tokens")),
        other => PlantdbError::from_error(other, &requester.context),
    }
}

/// The old service's reason to reject an API token: no dataset scope, or an unknown permission.
pub(super) fn invalid_scope(token: &ApiToken) -> Option<String> {
    let mut datasets = token.scopes.iter().filter_map(|scope| scope.rsplit_once('/')).peekable();
    if datasets.peek().is_none() {
        return Some("`dataset_permissions` argument must be provided.".to_owned());
    }
    let words = datasets.flat_map(|(_, words)| words.split(',')).filter(|word| !word.is_empty());
    let is_known = |word: &str| {
        let name = word.strip_prefix("Permission.").map(str::to_ascii_lowercase);
        PERMISSIONS.contains(&name.as_deref().unwrap_or(word))
    };
    words.into_iter().find(|word| !is_known(word)).map(|word| format!("Unknown permission string: '{word}'"))
}
