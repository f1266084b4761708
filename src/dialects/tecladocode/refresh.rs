//! `/refresh`: issues a new access token for the refresh token in the header.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::authentication::has_authorization;
use super::error::TecladocodeError;
use crate::account::authentication::refresh;
use crate::account::authentication::refresh_decision::RotationMode;
use crate::account::caller::request_auth::{Credentials, RequestAuth};
use crate::account::tokens;
use crate::app::App;
use crate::error::{Error, TokenError};

/// Returns an access token only. Clients keep their first refresh token, so the session is not rotated: reuse of the
/// old token after a rotation would end it.
pub(super) async fn refresh(
    State(app): State<App>,
    Extension(RequestAuth { credentials, context }): Extension<RequestAuth>,
    headers: HeaderMap,
) -> Result<Json<Value>, TecladocodeError> {
    let token = match credentials {
        Credentials::Bearer(token) => token,
        Credentials::None if !has_authorization(&headers) => return Err(TecladocodeError::Token(TokenError::Missing)),
        _ => return Err(TecladocodeError::Token(TokenError::Malformed)),
    };
    match refresh::refresh(&app, &context, Some(&token), RotationMode::Keep).await {
        Ok((renewed, _)) => Ok(Json(json!({ "access_token": renewed.tokens.access_token.expose_secret() }))),
        Err(Error::Refused(_)) => {
            // Either a refresh token of ours whose session has ended, or no refresh token at all.
            let fault = tokens::refresh_token_id(&app, &token).err().unwrap_or(TokenError::SessionEnded);
            Err(TecladocodeError::Token(fault))
        }
        Err(other) => Err(TecladocodeError::from_error(&other, &context)),
    }
}
