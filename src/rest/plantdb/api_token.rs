//! `/create-api-token`: a token for programs, and what it means to the services that hold the datasets.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use chrono::SecondsFormat;
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use super::answer::{Failure, why};
use crate::account::api_token::draft::{self, Draft, Lifetime, Scopes};
use crate::account::api_token::{self, ApiToken, Form, Made};
use crate::account::name::Name;
use crate::account::requester::{Requester, Visitor};
use crate::app::App;
use crate::error::{Error, TokenFault};
use crate::rest::flask;

/// What a token can be for; the old service knows these words alone.
const PERMISSIONS: [&str; 6] = ["read", "write", "create", "delete", "manage_users", "manage_groups"];

/// Makes a token for the caller. It opens nothing here: its datasets are scopes, which others ask for.
pub(super) async fn create(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Failure> {
    let client = visitor.client.clone();
    let body = flask::read(&headers, bytes)?;
    let datasets = body.get("datasets").ok_or_else(|| Failure::bad_request("Missing \"datasets\" field"))?;
    let lifetime = body.get("token_exp").ok_or_else(|| Failure::bad_request("Missing \"token_exp\" field"))?;
    let (scopes, lifetime) = (scopes(datasets)?, lifetime_of(lifetime)?);
    let requester = visitor.identify(&app).await.map_err(|error| Failure::other(&error, &client))?;
    let Made { token, secret } =
        run(&app, &requester, scopes, lifetime).await.map_err(|error| refused(&error, &requester))?;
    Ok(Json(json!({
        "message": "API Token generated successfully",
        "api_token": secret.expose_secret(),
        "expiration date": token.row.expires_at.map(|end| end.utc().to_rfc3339_opts(SecondsFormat::Secs, true)),
    })))
}

async fn run(app: &App, requester: &Requester, scopes: Vec<String>, lifetime: Lifetime) -> Result<Made, Error> {
    let draft = Draft {
        name: Name::parse("PlantDB")?,
        note: None,
        permissions: Some([].into()),
        scopes: Scopes::parse(scopes)?,
        lifetime: Some(lifetime),
    };
    api_token::create(app, requester, draft, Form::Dotted).await
}

/// `GLOB/PERMISSION,PERMISSION` for each dataset, as in the old service's tokens.
fn scopes(datasets: &Value) -> Result<Vec<String>, Failure> {
    let wrong = || Failure::bad_request("datasets must map names to lists of permissions");
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
fn lifetime_of(seconds: &Value) -> Result<Lifetime, Failure> {
    let seconds = match seconds {
        Value::String(text) => text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten(),
        other => other.as_f64(),
    };
    let seconds = seconds.ok_or_else(|| Failure::bad_request("token_exp must be a number of seconds"))?;
    // A float that is no whole number, or too large for one, is cut to the nearest.
    draft::lifetime(seconds as i64).map_err(|_| Failure::new(StatusCode::UNAUTHORIZED, "Could not create token."))
}

fn refused(error: &Error, requester: &Requester) -> Failure {
    let text = |why: &str| format!("Token creation failed: {why}");
    match error {
        Error::Unauthenticated(fault @ TokenFault::Missing) => {
            Failure::unauthorized(*fault, text("No authenticated user!"))
        }
        Error::Unauthenticated(fault) => Failure::unauthorized(*fault, text(&why(requester, *fault))),
        Error::Forbidden => Failure::forbidden(text("an API token makes no other")),
        other => Failure::other(other, &requester.client),
    }
}

/// Why the old service would not take an API token: it is for no dataset, or for something that is no permission.
pub(super) fn flaw(token: &ApiToken) -> Option<String> {
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
