//! `/login`: a session for a name and a password, and whether a name is taken.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use entity::session::Transport;
use entity::user;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::answer::Failure;
use super::body;
use crate::account::attempt::{LegacyRoute, knock};
use crate::account::login::{self, Login, Spelling};
use crate::account::requester::{Client, Visitor};
use crate::account::session::SignIn;
use crate::account::user as accounts;
use crate::app::App;
use crate::error::Error;
use crate::rest::flask;

/// Opens a session. Credentials that come along are not looked at.
pub(super) async fn login(
    State(app): State<App>,
    Extension(Visitor { client, .. }): Extension<Visitor>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Failure> {
    knock(&app, &client, LegacyRoute::Login).await.map_err(|error| Failure::other(&error, &client))?;
    let body = flask::read(&headers, bytes)?;
    let input = input(&body).map_err(|failure| failure.flagged("authenticated"))?;
    let logged_in = login::login(&app, &client, input).await.map_err(|error| refused(&error, &client))?;
    let SignIn { user, tokens, .. } = logged_in.sign_in;
    Ok(Json(json!({
        "message": "Login successful",
        "user": person(&user),
        "access_token": tokens.access_token.expose_secret(),
        "refresh_token": tokens.refresh_token.expose_secret(),
    })))
}

fn input(body: &Value) -> Result<Login, Failure> {
    let missing = "Missing username or password";
    Ok(Login {
        name: body::text(body, "username", missing)?.into(),
        spelling: Spelling::Exact,
        password: body::text(body, "password", missing)?.into(),
        transport: Transport::Body,
        device_name: None,
        device_token: None,
    })
}

fn refused(error: &Error, client: &Client) -> Failure {
    match error {
        Error::Refused(refusals) => match refusals.first().and_then(|refusal| refusal.retry_after) {
            Some(retry_after) => Failure::too_many(retry_after),
            None => Failure::new(StatusCode::UNAUTHORIZED, "Invalid credentials"),
        },
        other => Failure::other(other, client),
    }
}

/// A user as the dialect shows one; `fullname` is a text even for those who gave none.
pub(super) fn person(user: &user::Model) -> Value {
    json!({ "username": user.username, "fullname": user.display_name.as_deref().unwrap_or_default() })
}

/// Whether a name is taken.
pub(super) async fn exists(
    State(app): State<App>,
    Extension(Visitor { client, .. }): Extension<Visitor>,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Json<Value>, Failure> {
    if !app.config.rest.username_check {
        return Err(Failure::new(StatusCode::NOT_FOUND, "The requested URL was not found on the server."));
    }
    let fields = query.map(|Query(fields)| fields).unwrap_or_default();
    let username = fields.into_iter().find_map(|(name, value)| (name == "username").then_some(value));
    let Some(username) = username.filter(|username| !username.is_empty()) else {
        return Err(Failure::bad_request("Missing username parameter"));
    };
    let exists = accounts::exists(&app, &client, &username).await.map_err(|error| Failure::other(&error, &client))?;
    Ok(Json(json!({ "username": username, "exists": exists })))
}
