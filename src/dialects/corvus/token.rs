//! `/login`, `/bump`, `/logout`: a token for a name and a password, its use told, its end.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json};
use chrono::{DateTime, SecondsFormat, Utc};
use entity::session::Transport;
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use super::credentials::{authenticate, authentication_error, basic_credentials, invalid_credentials};
use crate::account::api_token::new_token::NewApiToken;
use crate::account::api_token::{CreatedApiToken, SecretFormat};
use crate::account::authentication::login::{self, Login, NameMatch};
use crate::account::authentication::logout;
use crate::account::caller::requester::RequestAuth;
use crate::app::App;
use crate::dialects::http_error::HttpError;
use crate::error::{Error, RefusalCode};

/// How the tokens of this dialect are called in the list of their owner's.
const TOKEN_NAME: &str = "Corvus";

/// Makes a token that stands for its owner as long as a session would.
pub(super) async fn login(
    State(app): State<App>,
    Extension(RequestAuth { context: client, .. }): Extension<RequestAuth>,
    headers: HeaderMap,
) -> Result<Json<Value>, HttpError> {
    let (name, password) = basic_credentials(&headers).ok_or_else(invalid_credentials)?;
    let input = Login {
        name: name.into(),
        name_match: NameMatch::Any,
        password,
        transport: Transport::Body,
        device_name: None,
        device_token: None,
    };
    let made = match NewApiToken::for_login(&app, TOKEN_NAME) {
        Ok(draft) => crate::account::api_token::create_by_login(&app, &client, input, draft, SecretFormat::Uuid).await,
        Err(error) => Err(error),
    };
    match made {
        Ok((made, _)) => Ok(Json(token_json(&made))),
        Err(Error::Refused(refusals))
            if refusals.iter().any(|refusal| refusal.code == RefusalCode::InvalidCredentials) =>
        {
            Err(invalid_credentials())
        }
        Err(other) => Err(HttpError::from_error(&other, &client)),
    }
}

/// The token as its caller keeps it; what is not set is left out.
fn token_json(CreatedApiToken { token, secret }: &CreatedApiToken) -> Value {
    let row = &token.row;
    let mut shown = Map::from_iter([
        ("token".to_owned(), secret.expose_secret().into()),
        ("enabled".to_owned(), row.enabled.into()),
        ("creationTime".to_owned(), to_iso8601(row.created_at.utc()).into()),
        ("version".to_owned(), row.version.into()),
    ]);
    let times = [("expirationTime", row.expires_at), ("lastUsageTime", row.last_used_at)];
    shown.extend(times.into_iter().filter_map(|(name, time)| Some((name.to_owned(), to_iso8601(time?.utc()).into()))));
    shown.extend(row.note.as_ref().map(|note| ("note".to_owned(), note.as_str().into())));
    shown.into()
}

/// Notes that the user is there, as a login does.
pub(super) async fn bump(
    State(app): State<App>,
    Extension(visitor): Extension<RequestAuth>,
    headers: HeaderMap,
) -> Result<Json<Value>, HttpError> {
    let requester = authenticate(&app, visitor, &headers).await?;
    let time =
        login::record_activity(&app, &requester).await.map_err(|error| authentication_error(&error, &requester))?;
    Ok(Json(json!({ "lastLoginTime": to_iso8601(time) })))
}

/// Ends the token that came for good, or the session.
pub(super) async fn logout(
    State(app): State<App>,
    Extension(visitor): Extension<RequestAuth>,
    headers: HeaderMap,
) -> Result<Json<Value>, HttpError> {
    let requester = authenticate(&app, visitor, &headers).await?;
    logout::end_current_credential(&app, &requester).await.map_err(|error| authentication_error(&error, &requester))?;
    Ok(Json(json!({ "success": true })))
}

/// ISO 8601 with seconds and the offset, such as `2018-07-29T11:59:29+00:00`.
pub(super) fn to_iso8601(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, false)
}
