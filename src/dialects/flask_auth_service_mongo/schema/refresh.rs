//! `refresh_token`: returns the next token pair of a session.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use secrecy::{ExposeSecret, SecretString};

use super::error::{LegacyError, Result, first_refusal};
use crate::account::authentication::refresh;
use crate::account::authentication::refresh_decision::{OldAccessToken, RotationMode};
use crate::account::tokens;
use crate::app::App;
use crate::error::{Error, RefusalCode, TokenError};
use crate::graphql::context::ContextExt;

/// The refresh token to rotate.
#[derive(InputObject)]
#[graphql(rename_fields = "snake_case")]
pub struct RefreshTokenInput {
    /// The latest refresh token of the session.
    #[graphql(secret)]
    refresh_token: String,
}

/// The next token pair.
#[derive(SimpleObject)]
#[graphql(rename_fields = "snake_case")]
pub struct RefreshToken {
    /// Always `Bearer`.
    token_type: Option<&'static str>,
    /// The access token: send it as `Authorization: Bearer <token>`.
    access_token: Option<String>,
    /// The refresh token for the next pair.
    refresh_token: Option<String>,
    /// Lifetime of the access token, in minutes.
    expires_in: Option<i64>,
}

/// Mutations of tokens.
#[derive(Default)]
pub struct TokenMutation;

#[Object(rename_fields = "snake_case", rename_args = "snake_case")]
impl TokenMutation {
    /// Returns the next token pair for a refresh token of the caller.
    async fn refresh_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The refresh token.")] input: RefreshTokenInput,
    ) -> Result<Option<RefreshToken>> {
        let (app, token) = (ctx.app()?, SecretString::from(input.refresh_token));
        let renewed =
            refresh::refresh_own(app, ctx.requester()?, &token, RotationMode::Rotate(OldAccessToken::Keep)).await;
        let (issued, _) = renewed.map_err(|error| map_refresh_error(app, &token, error))?;
        let pair = issued.tokens;
        Ok(Some(RefreshToken {
            token_type: Some("Bearer"),
            access_token: Some(pair.access_token.expose_secret().to_owned()),
            refresh_token: Some(pair.refresh_token.expose_secret().to_owned()),
            expires_in: Some((pair.expires_at - pair.issued_at).num_minutes()),
        }))
    }
}

/// Maps an error to the older service's message: for an invalid token, an expired one, or one that is not a refresh
/// token of the caller.
fn map_refresh_error(app: &App, token: &SecretString, error: Error) -> LegacyError {
    match (first_refusal(&error), &error) {
        (Some(RefusalCode::RefreshTokenInvalid), _) if !tokens::is_access_token(app, token) => {
            LegacyError::with_message("invalid_token. ")
        }
        (Some(RefusalCode::SessionEnded), _) if tokens::refresh_token_id(app, token) == Err(TokenError::Expired) => {
            LegacyError::with_message("signature_expired. ")
        }
        (Some(RefusalCode::RefreshTokenInvalid | RefusalCode::RefreshTokenReused | RefusalCode::SessionEnded), _)
        | (None, Error::Forbidden) => LegacyError::with_message("unauthorized. "),
        _ => error.into(),
    }
}
