//! `/token-refresh`: the next pair of tokens.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::Release;
use super::answer::{Failure, explained};
use crate::account::refresh::{self, Predecessor};
use crate::account::requester::Visitor;
use crate::account::tokens;
use crate::app::App;
use crate::error::{Error, TokenFault};
use crate::rest::flask;

/// Renews a session. Clients send the old access token along: it is not looked at.
pub(super) async fn refresh(
    State(app): State<App>,
    Extension(Visitor { client, .. }): Extension<Visitor>,
    Extension(release): Extension<Release>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Failure> {
    let body = flask::read(&headers, bytes)?;
    let token = token(&body, release)?;
    match refresh::refresh(&app, &client, Some(&token), Predecessor::Revoke).await {
        Ok((renewed, _)) => Ok(Json(json!({
            "message": "Token refreshed successfully",
            "access_token": renewed.tokens.access_token.expose_secret(),
            "refresh_token": renewed.tokens.refresh_token.expose_secret(),
        }))),
        Err(Error::Refused(_)) => Err(invalid(&why(&app, &token))),
        Err(other) => Err(Failure::other(&other, &client)),
    }
}

fn token(body: &Value, release: Release) -> Result<SecretString, Failure> {
    match body.get("refresh_token") {
        Some(Value::String(token)) => Ok(token.as_str().into()),
        // PyJWT's words; the old service answers its clients with them.
        Some(_) => Err(invalid("Invalid token type. Token must be a <class 'bytes'>")),
        None => {
            let status = match release {
                Release::Old => StatusCode::BAD_REQUEST,
                Release::New => StatusCode::UNAUTHORIZED,
            };
            Err(Failure::new(status, "Missing refresh_token"))
        }
    }
}

/// Why a refresh token was refused, in the old service's words.
fn why(app: &App, token: &SecretString) -> String {
    match tokens::inspect_refresh(app, token) {
        Ok(token_id) => explained(TokenFault::SessionEnded, "Refresh", &token_id),
        Err(fault) => explained(fault, "Refresh", ""),
    }
}

fn invalid(why: &str) -> Failure {
    Failure::new(StatusCode::UNAUTHORIZED, format!("Invalid or expired refresh token: {why}"))
}
