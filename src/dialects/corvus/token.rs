//! `/login`, `/bump`, `/logout`: creates a token for a username and password, records activity, revokes the token.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use super::credentials::{authenticate, authentication_error, basic_credentials, identify, invalid_credentials};
use super::time::to_iso8601;
use crate::account::api_token::new_token::NewApiToken;
use crate::account::api_token::{CreatedApiToken, SecretFormat};
use crate::account::authentication::api_token_login::create_by_login;
use crate::account::authentication::credentials::{LoginCredentials, NameMatch};
use crate::account::authentication::{activity, logout};
use crate::account::caller::request_auth::RequestAuth;
use crate::app::App;
use crate::dialects::http_error::HttpError;
use crate::error::{Error, RefusalCode};

/// Name of this dialect's tokens in the owner's list.
const TOKEN_NAME: &str = "Corvus";

/// Creates a token with all permissions of its owner and the lifetime of a session.
pub(super) async fn login(
    State(app): State<App>,
    Extension(RequestAuth { context, .. }): Extension<RequestAuth>,
    headers: HeaderMap,
) -> Result<Json<Value>, HttpError> {
    let (name, password) = basic_credentials(&headers).ok_or_else(invalid_credentials)?;
    let credentials = LoginCredentials::new(name, NameMatch::Any, password);
    let created = match NewApiToken::for_login(&app, TOKEN_NAME) {
        Ok(new) => create_by_login(&app, &context, credentials, new, SecretFormat::Uuid).await,
        Err(error) => Err(error),
    };
    match created {
        Ok(created) => Ok(Json(token_json(&created))),
        Err(Error::Refused(refusals))
            if refusals.iter().any(|refusal| refusal.code == RefusalCode::InvalidCredentials) =>
        {
            Err(invalid_credentials())
        }
        Err(other) => Err(HttpError::from_error(&other, &context)),
    }
}

/// The token's JSON; unset members are omitted.
fn token_json(CreatedApiToken { token, secret }: &CreatedApiToken) -> Value {
    let row = &token.row;
    let mut members = Map::from_iter([
        ("token".to_owned(), secret.expose_secret().into()),
        ("enabled".to_owned(), row.enabled.into()),
        ("creationTime".to_owned(), to_iso8601(row.created_at.utc()).into()),
        ("version".to_owned(), row.version.into()),
    ]);
    let times = [("expirationTime", row.expires_at), ("lastUsageTime", row.last_used_at)];
    members
        .extend(times.into_iter().filter_map(|(name, time)| Some((name.to_owned(), to_iso8601(time?.utc()).into()))));
    members.extend(row.note.as_ref().map(|note| ("note".to_owned(), note.as_str().into())));
    members.into()
}

/// Records activity of the user, as a login does.
pub(super) async fn bump(
    State(app): State<App>,
    Extension(auth): Extension<RequestAuth>,
    headers: HeaderMap,
) -> Result<Json<Value>, HttpError> {
    let requester = authenticate(&app, auth, &headers).await?;
    let time =
        activity::record_activity(&app, &requester).await.map_err(|error| authentication_error(&error, &requester))?;
    Ok(Json(json!({ "lastLoginTime": to_iso8601(time) })))
}

/// Revokes the token that was sent, or ends the session.
pub(super) async fn logout(
    State(app): State<App>,
    Extension(auth): Extension<RequestAuth>,
    headers: HeaderMap,
) -> Result<Json<Value>, HttpError> {
    let requester = identify(&app, auth, &headers).await?;
    logout::end_current_credential(&app, &requester).await.map_err(|error| authentication_error(&error, &requester))?;
    Ok(Json(json!({ "success": true })))
}
