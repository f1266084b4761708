//! `/login`: opens a session for a username and password.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::arguments::Arguments;
use super::error::TecladocodeError;
use crate::account::authentication::credentials::{LoginCredentials, NameMatch};
use crate::account::authentication::login;
use crate::account::authentication::session::IssuedSession;
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
    let (name, password) = (arguments.string("username")?, arguments.string("password")?);
    match login::login(&app, &context, LoginCredentials::new(name, NameMatch::Exact, password)).await {
        Ok(IssuedSession { tokens, .. }) => Ok(Json(json!({
            "access_token": tokens.access_token.expose_secret(),
            "refresh_token": tokens.refresh_token.expose_secret(),
        }))),
        Err(Error::Refused(refusals)) if refusals.iter().all(|refusal| refusal.retry_after.is_none()) => {
            Err(TecladocodeError::new(StatusCode::UNAUTHORIZED, "Invalid credentials!"))
        }
        Err(other) => Err(TecladocodeError::from_error(&other, &context)),
    }
}
