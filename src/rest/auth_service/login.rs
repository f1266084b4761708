//! `/login`: a session for a name and a password, for those who hold the role that the place is for.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::HeaderMap;
use axum::{Extension, Json};
use entity::session::Transport;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::Place;
use crate::account::login::{Login, Spelling, login_as};
use crate::account::requester::Visitor;
use crate::account::session::SignIn;
use crate::app::App;
use crate::error::{Error, RefusalCode};
use crate::rest::failure::Failure;
use crate::rest::flask;

/// Opens a session. Credentials that come along are not looked at.
pub(super) async fn login(
    State(app): State<App>,
    Extension(Visitor { client, .. }): Extension<Visitor>,
    Extension(place): Extension<Place>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Failure> {
    let body = flask::read(&headers, bytes)?;
    let (name, password) = credentials(&body).ok_or_else(|| Failure::bad_request("bad_request"))?;
    let input = Login {
        name: name.into(),
        spelling: Spelling::Any,
        password: password.into(),
        transport: Transport::Body,
        device_name: None,
        device_token: None,
    };
    match login_as(&app, &client, input, place.role.as_deref()).await {
        Ok(opened) => Ok(Json(json!({ "message": "ok", "data": shown(&opened.sign_in, &place) }))),
        Err(Error::Refused(refusals))
            if refusals.iter().any(|refusal| refusal.code == RefusalCode::InvalidCredentials) =>
        {
            Err(Failure::bad_request("bad_credentials"))
        }
        Err(other) => Err(Failure::of(&other, &client)),
    }
}

/// Two texts without a space, and nothing else.
fn credentials(body: &Value) -> Option<(&str, &str)> {
    let members = body.as_object().filter(|members| members.len() == 2)?;
    let text = |name| members.get(name)?.as_str().filter(|text| !text.contains(' '));
    Some((text("username")?, text("password")?))
}

/// `expires_in` counts minutes, and of several roles the one that the place is for is told.
fn shown(SignIn { user, access, tokens, .. }: &SignIn, place: &Place) -> Value {
    json!({
        "access_token": tokens.access_token.expose_secret(),
        "token_type": "Bearer",
        "refresh_token": tokens.refresh_token.expose_secret(),
        "expires_in": (tokens.expires_at - tokens.issued_at).num_minutes(),
        "change_password": user.must_change_password,
        "role": place.role.as_deref().or(access.leading_role()),
    })
}
