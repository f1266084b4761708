//! `/token-refresh`: exchanges a refresh token for the next token pair.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::error::{PlantdbError, token_message};
use super::release::Release;
use crate::account::authentication::refresh;
use crate::account::authentication::refresh_decision::{OldAccessToken, RotationMode};
use crate::account::caller::request_auth::RequestAuth;
use crate::account::tokens;
use crate::app::App;
use crate::dialects::werkzeug;
use crate::error::{Error, TokenError};

/// Rotates the tokens of a session. Clients also send the old access token, which is ignored.
pub(super) async fn refresh(
    State(app): State<App>,
    Extension(RequestAuth { context, .. }): Extension<RequestAuth>,
    Extension(release): Extension<Release>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, PlantdbError> {
    let body = werkzeug::read_json(&headers, bytes)?;
    let token = parse_token(&body, release)?;
    match refresh::refresh(&app, &context, Some(&token), RotationMode::Rotate(OldAccessToken::Revoke)).await {
        Ok((renewed, _)) => Ok(Json(json!({
            "message": "Token refreshed successfully",
            "access_token": renewed.tokens.access_token.expose_secret(),
            "refresh_token": renewed.tokens.refresh_token.expose_secret(),
        }))),
        Err(Error::Refused(_)) => Err(invalid_token(&refresh_token_message(&app, &token))),
        Err(other) => Err(PlantdbError::from_error(&other, &context)),
    }
}

fn parse_token(body: &Value, release: Release) -> Result<SecretString, PlantdbError> {
    match body.get("refresh_token") {
        Some(Value::String(token)) => Ok(token.as_str().into()),
        // PyJWT's text, which the old service passes on to clients.
        Some(_) => Err(invalid_token("Invalid token type. Token must be a <class 'bytes'>")),
        None => {
            let status = match release {
                Release::Old => StatusCode::BAD_REQUEST,
                Release::New => StatusCode::UNAUTHORIZED,
            };
            Err(PlantdbError::new(status, "Missing refresh_token"))
        }
    }
}

/// The old service's text for a rejected refresh token.
fn refresh_token_message(app: &App, token: &SecretString) -> String {
    match tokens::refresh_token_id(app, token) {
        Ok(token_id) => token_message(TokenError::SessionEnded, "Refresh", &token_id),
        Err(fault) => token_message(fault, "Refresh", ""),
    }
}

fn invalid_token(why: &str) -> PlantdbError {
    PlantdbError::new(StatusCode::UNAUTHORIZED, format!("Invalid or expired refresh token: {why}"))
}
