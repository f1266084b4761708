//! `/login`: a session for a name and a password.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use entity::session::Transport;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::answer::Failure;
use super::arguments::Arguments;
use crate::account::login::{self, Login, Spelling};
use crate::account::requester::Visitor;
use crate::app::App;
use crate::error::Error;

/// Opens a session. Credentials that come along are not looked at.
pub(super) async fn login(
    State(app): State<App>,
    Extension(Visitor { client, .. }): Extension<Visitor>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Failure> {
    let arguments = Arguments::read(&headers, bytes).await?;
    let input = Login {
        name: arguments.text("username")?.into(),
        spelling: Spelling::Exact,
        password: arguments.text("password")?.into(),
        transport: Transport::Body,
        device_name: None,
        device_token: None,
    };
    match login::login(&app, &client, input).await {
        Ok(logged_in) => {
            let tokens = logged_in.sign_in.tokens;
            Ok(Json(json!({
                "access_token": tokens.access_token.expose_secret(),
                "refresh_token": tokens.refresh_token.expose_secret(),
            })))
        }
        Err(Error::Refused(refusals)) if refusals.iter().all(|refusal| refusal.retry_after.is_none()) => {
            Err(Failure::new(StatusCode::UNAUTHORIZED, "Invalid credentials!"))
        }
        Err(other) => Err(Failure::of(&other, &client)),
    }
}
