//! `/login`: opens a session for a username and password.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use entity::session::Transport;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::arguments::Arguments;
use super::error::TecladocodeError;
use crate::account::authentication::login::{self, Login, NameMatch};
use crate::account::caller::request_auth::RequestAuth;
use crate::app::App;
use crate::error::Error;

/// Opens a session. Credentials in headers are ignored.
pub(super) async fn login(
    State(app): State<App>,
    Extension(RequestAuth { context, .. }): Extension<RequestAuth>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, TecladocodeError> {
    let arguments = Arguments::read(&headers, bytes).await?;
    let input = Login {
        name: arguments.string("username")?.into(),
        name_match: NameMatch::Exact,
        password: arguments.string("password")?.into(),
        transport: Transport::Body,
        device_name: None,
        device_token: None,
    };
    match login::login(&app, &context, input).await {
        Ok(logged_in) => {
            let tokens = logged_in.issued.tokens;
            Ok(Json(json!({
                "access_token": tokens.access_token.expose_secret(),
                "refresh_token": tokens.refresh_token.expose_secret(),
            })))
        }
        Err(Error::Refused(refusals)) if refusals.iter().all(|refusal| refusal.retry_after.is_none()) => {
            Err(TecladocodeError::new(StatusCode::UNAUTHORIZED, "Invalid credentials!"))
        }
        Err(other) => Err(TecladocodeError::from_error(&other, &context)),
    }
}
