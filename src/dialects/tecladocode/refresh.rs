//! `/refresh`: another access token for the refresh token in the header.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::error::TecladocodeError;
use super::logout::has_authorization;
use crate::account::authentication::refresh::{self, OldAccessToken};
use crate::account::authentication::tokens;
use crate::account::caller::requester::{Credentials, RequestAuth};
use crate::app::App;
use crate::error::{Error, TokenError};

/// Answers an access token alone. A caller has no place for another refresh token, so the session stays in its
/// generation: one that moved on would be over with the caller's next refresh.
pub(super) async fn refresh(
    State(app): State<App>,
    Extension(RequestAuth { credentials, context: client }): Extension<RequestAuth>,
    headers: HeaderMap,
) -> Result<Json<Value>, TecladocodeError> {
    let token = match credentials {
        Credentials::Bearer(token) => token,
        Credentials::None if !has_authorization(&headers) => return Err(TecladocodeError::Token(TokenError::Missing)),
        _ => return Err(TecladocodeError::Token(TokenError::Malformed)),
    };
    match refresh::refresh(&app, &client, Some(&token), OldAccessToken::KeepWithoutRotation).await {
        Ok((renewed, _)) => Ok(Json(json!({ "access_token": renewed.tokens.access_token.expose_secret() }))),
        Err(Error::Refused(_)) => {
            // It is one of ours whose session is over, or something else.
            let fault = tokens::refresh_token_id(&app, &token).err().unwrap_or(TokenError::SessionEnded);
            Err(TecladocodeError::Token(fault))
        }
        Err(other) => Err(TecladocodeError::from_error(&other, &client)),
    }
}
