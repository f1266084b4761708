//! `/login`: POST opens a session for a username and password; GET checks whether a username is taken.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use entity::user;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::body;
use super::error::PlantdbError;
use crate::account::authentication::credentials::{LoginCredentials, NameMatch};
use crate::account::authentication::login;
use crate::account::authentication::session::IssuedSession;
use crate::account::caller::rate_limit::{LegacyRoute, count_legacy_call};
use crate::account::caller::request_auth::RequestAuth;
use crate::account::caller::request_context::RequestContext;
use crate::account::user::query as accounts;
use crate::app::App;
use crate::dialects::werkzeug;
use crate::error::Error;

/// Opens a session. Credentials in headers are ignored.
pub(super) async fn login(
    State(app): State<App>,
    Extension(RequestAuth { context, .. }): Extension<RequestAuth>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, PlantdbError> {
    count_legacy_call(&app, &context, LegacyRoute::Login)
        .await
        .map_err(|error| PlantdbError::from_error(&error, &context))?;
    let body = werkzeug::read_json(&headers, bytes)?;
    let credentials = parse_credentials(&body).map_err(|error| error.with_false_field("authenticated"))?;
    let IssuedSession { user, tokens, .. } =
        login::login(&app, &context, credentials).await.map_err(|error| login_error(&error, &context))?;
    Ok(Json(json!({
        "message": "Login successful",
        "user": user_json(&user),
        "access_token": tokens.access_token.expose_secret(),
        "refresh_token": tokens.refresh_token.expose_secret(),
    })))
}

fn parse_credentials(body: &Value) -> Result<LoginCredentials, PlantdbError> {
    let missing = "Missing username or password";
    let (name, password) = (body::string(body, "username", missing)?, body::string(body, "password", missing)?);
    Ok(LoginCredentials::new(name, NameMatch::Exact, password))
}

fn login_error(error: &Error, context: &RequestContext) -> PlantdbError {
    match error {
        Error::Refused(refusals) => match refusals.first().and_then(|refusal| refusal.retry_after) {
            Some(retry_after) => PlantdbError::too_many_requests(retry_after),
            None => PlantdbError::new(StatusCode::UNAUTHORIZED, "Invalid credentials"),
        },
        other => PlantdbError::from_error(other, context),
    }
}

/// A user in the dialect's JSON; `fullname` is an empty string if the user has none.
pub(super) fn user_json(user: &user::Model) -> Value {
    json!({ "username": user.username, "fullname": user.display_name.as_deref().unwrap_or_default() })
}

/// Checks whether a username is taken.
pub(super) async fn exists(
    State(app): State<App>,
    Extension(RequestAuth { context, .. }): Extension<RequestAuth>,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Json<Value>, PlantdbError> {
    if !app.config.rest.has_username_check {
        return Err(PlantdbError::new(StatusCode::NOT_FOUND, "The requested URL was not found on the server."));
    }
    let fields = query.map(|Query(fields)| fields).unwrap_or_default();
    let username = fields.into_iter().find_map(|(name, value)| (name == "username").then_some(value));
    let Some(username) = username.filter(|username| !username.is_empty()) else {
        return Err(PlantdbError::bad_request("Missing username parameter"));
    };
    let exists = accounts::is_username_taken(&app, &context, &username)
        .await
        .map_err(|error| PlantdbError::from_error(&error, &context))?;
    Ok(Json(json!({ "username": username, "exists": exists })))
}
