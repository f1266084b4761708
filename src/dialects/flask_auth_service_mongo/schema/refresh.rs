//! `refresh_token`: the next pair of tokens.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use secrecy::{ExposeSecret, SecretString};

use super::error::{LegacyError, Result, first_refusal};
use crate::account::authentication::refresh::{self, OldAccessToken};
use crate::account::authentication::tokens;
use crate::app::App;
use crate::error::{Error, RefusalCode, TokenError};
use crate::graphql::context::ContextExt;

/// What proves that the session may go on.
#[derive(InputObject)]
#[graphql(rename_fields = "snake_case")]
pub struct RefreshTokenInput {
    /// The newest refresh token of the session.
    #[graphql(secret)]
    refresh_token: String,
}

/// The next pair.
#[derive(SimpleObject)]
#[graphql(rename_fields = "snake_case")]
pub struct RefreshToken {
    /// Always `Bearer`.
    token_type: Option<&'static str>,
    /// Opens the API for a short time.
    access_token: Option<String>,
    /// Gets the next pair.
    refresh_token: Option<String>,
    /// Minutes until the access token's end.
    expires_in: Option<i64>,
}

/// Mutations of tokens.
#[derive(Default)]
pub struct TokenMutation;

#[Object(rename_fields = "snake_case", rename_args = "snake_case")]
impl TokenMutation {
    /// Trades a refresh token of the caller's own for the next pair.
    async fn refresh_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The refresh token.")] input: RefreshTokenInput,
    ) -> Result<Option<RefreshToken>> {
        let (app, token) = (ctx.app()?, SecretString::from(input.refresh_token));
        let renewed = refresh::refresh_own(app, ctx.requester()?, &token, OldAccessToken::Keep).await;
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

/// Why there is no next pair, in the old words: they differ for a token that is none, one whose time is over, and one
/// that is not the caller's or no refresh token.
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
