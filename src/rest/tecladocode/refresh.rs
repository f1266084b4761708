//! `/refresh`: another access token for the refresh token in the header.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::answer::Failure;
use super::logout::is_bare;
use crate::account::refresh::{self, Predecessor};
use crate::account::requester::{Credentials, Visitor};
use crate::account::tokens;
use crate::app::App;
use crate::error::{Error, TokenFault};

/// Answers an access token alone. A caller has no place for another refresh token, so the session stays in its
/// generation: one that moved on would be over with the caller's next refresh.
pub(super) async fn refresh(
    State(app): State<App>,
    Extension(Visitor { credentials, client }): Extension<Visitor>,
    headers: HeaderMap,
) -> Result<Json<Value>, Failure> {
    let token = match credentials {
        Credentials::Bearer(token) => token,
        Credentials::None if !is_bare(&headers) => return Err(Failure::Token(TokenFault::Missing)),
        _ => return Err(Failure::Token(TokenFault::Malformed)),
    };
    match refresh::refresh(&app, &client, Some(&token), Predecessor::Stay).await {
        Ok((renewed, _)) => Ok(Json(json!({ "access_token": renewed.tokens.access_token.expose_secret() }))),
        Err(Error::Refused(_)) => {
            // It is one of ours whose session is over, or something else.
            let fault = tokens::inspect_refresh(&app, &token).err().unwrap_or(TokenFault::SessionEnded);
            Err(Failure::Token(fault))
        }
        Err(other) => Err(Failure::of(&other, &client)),
    }
}
