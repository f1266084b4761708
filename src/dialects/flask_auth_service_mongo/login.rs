//! `/login`: opens a session for a username and password, if the user has the mount's role.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::HeaderMap;
use axum::{Extension, Json};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::mount_context::MountContext;
use crate::account::authentication::credentials::{LoginCredentials, NameMatch};
use crate::account::authentication::login;
use crate::account::authentication::session::IssuedSession;
use crate::account::caller::request_auth::RequestAuth;
use crate::app::App;
use crate::dialects::http_error::HttpError;
use crate::dialects::werkzeug;
use crate::error::{Error, RefusalCode};

/// Opens a session. Credentials in headers are ignored.
pub(super) async fn login(
    State(app): State<App>,
    Extension(RequestAuth { context, .. }): Extension<RequestAuth>,
    Extension(mount): Extension<MountContext>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, HttpError> {
    let body = werkzeug::read_json(&headers, bytes)?;
    let (name, password) = parse_credentials(&body).ok_or_else(|| HttpError::bad_request("bad_request"))?;
    let credentials = LoginCredentials {
        required_role: mount.role.as_deref().map(str::to_owned),
        ..LoginCredentials::new(name, NameMatch::Any, password)
    };
    match login::login(&app, &context, credentials).await {
        Ok(issued) => Ok(Json(json!({ "message": "ok", "data": session_json(&issued, &mount) }))),
        Err(Error::Refused(refusals))
            if refusals.iter().any(|refusal| refusal.code == RefusalCode::InvalidCredentials) =>
        {
            Err(HttpError::bad_request("bad_credentials"))
        }
        Err(other) => Err(HttpError::from_error(&other, &context)),
    }
}

/// Two strings without spaces, and no other member.
fn parse_credentials(body: &Value) -> Option<(&str, &str)> {
    let members = body.as_object().filter(|members| members.len() == 2)?;
    let text = |name| members.get(name)?.as_str().filter(|text| !text.contains(' '));
    Some((text("username")?, text("password")?))
}

/// The session's JSON. `expires_in` is in minutes; `role` is the mount's role, or else the user's primary one.
fn session_json(IssuedSession { user, access, tokens, .. }: &IssuedSession, mount: &MountContext) -> Value {
    json!({
        "access_token": tokens.access_token.expose_secret(),
        "token_type": "Bearer",
        "refresh_token": tokens.refresh_token.expose_secret(),
        "expires_in": (tokens.expires_at - tokens.issued_at).num_minutes(),
        "change_password": user.must_change_password,
        "role": mount.role.as_deref().or(access.primary_role()),
    })
}
