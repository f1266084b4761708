//! `/login`, `/bump`, `/logout`: a token for a name and a password, its use told, its end.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json};
use chrono::{DateTime, SecondsFormat, Utc};
use entity::session::Transport;
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use super::credentials::{basic, caller, refused, wrong_password};
use crate::account::api_token::draft::Draft;
use crate::account::api_token::{self, Form, Made};
use crate::account::login::{self, Login, Spelling};
use crate::account::logout;
use crate::account::requester::Visitor;
use crate::app::App;
use crate::error::{Error, RefusalCode};
use crate::rest::failure::Failure;

/// How the tokens of this dialect are called in the list of their owner's.
const NAME: &str = "Corvus";

/// Makes a token that stands for its owner as long as a session would.
pub(super) async fn login(
    State(app): State<App>,
    Extension(Visitor { client, .. }): Extension<Visitor>,
    headers: HeaderMap,
) -> Result<Json<Value>, Failure> {
    let (name, password) = basic(&headers).ok_or_else(wrong_password)?;
    let input = Login {
        name: name.into(),
        spelling: Spelling::Any,
        password,
        transport: Transport::Body,
        device_name: None,
        device_token: None,
    };
    let made = match Draft::for_sign_in(&app, NAME) {
        Ok(draft) => api_token::sign_in(&app, &client, input, draft, Form::Uuid).await,
        Err(error) => Err(error),
    };
    match made {
        Ok((made, _)) => Ok(Json(shown(&made))),
        Err(Error::Refused(refusals))
            if refusals.iter().any(|refusal| refusal.code == RefusalCode::InvalidCredentials) =>
        {
            Err(wrong_password())
        }
        Err(other) => Err(Failure::of(&other, &client)),
    }
}

/// The token as its caller keeps it; what is not set is left out.
fn shown(Made { token, secret }: &Made) -> Value {
    let row = &token.row;
    let mut shown = Map::from_iter([
        ("token".to_owned(), secret.expose_secret().into()),
        ("enabled".to_owned(), row.enabled.into()),
        ("creationTime".to_owned(), iso(row.created_at.utc()).into()),
        ("version".to_owned(), row.version.into()),
    ]);
    let times = [("expirationTime", row.expires_at), ("lastUsageTime", row.last_used_at)];
    shown.extend(times.into_iter().filter_map(|(name, time)| Some((name.to_owned(), iso(time?.utc()).into()))));
    shown.extend(row.note.as_ref().map(|note| ("note".to_owned(), note.as_str().into())));
    shown.into()
}

/// Notes that the user is there, as a login does.
pub(super) async fn bump(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
) -> Result<Json<Value>, Failure> {
    let requester = caller(&app, visitor, &headers).await?;
    let time = login::bump(&app, &requester).await.map_err(|error| refused(&error, &requester))?;
    Ok(Json(json!({ "lastLoginTime": iso(time) })))
}

/// Ends the token that came for good, or the session.
pub(super) async fn logout(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
) -> Result<Json<Value>, Failure> {
    let requester = caller(&app, visitor, &headers).await?;
    logout::leave(&app, &requester).await.map_err(|error| refused(&error, &requester))?;
    Ok(Json(json!({ "success": true })))
}

/// ISO 8601 with seconds and the offset, such as `2018-07-29T11:59:29+00:00`.
pub(super) fn iso(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, false)
}
