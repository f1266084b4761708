//! `logout`: ends sessions of the caller.

use async_graphql::{Context, Enum, InputObject, Object, SimpleObject};

use super::context::ContextExt;
use super::error::{AccountError, Payload, Result, into_payload};
use crate::account::authentication::logout::{self, SessionScope};
use crate::error::{Refusal, RefusalCode};

/// The sessions and API tokens to end.
#[derive(InputObject, Default)]
pub struct LogoutInput {
    /// The sessions to end.
    #[graphql(default_with = "LogoutScope::Current")]
    scope: LogoutScope,
    /// Whether to revoke the user's API tokens, too; by default only with ALL. API tokens that a login created in place
    /// of a session always end with OTHERS and ALL.
    revoke_api_tokens: Option<bool>,
    /// The refresh token of the session; required only without access token and cookies.
    #[graphql(secret)]
    refresh_token: Option<String>,
}

/// The sessions that a logout ends.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[graphql(remote = "SessionScope")]
pub enum LogoutScope {
    /// The session of the credentials.
    #[default]
    Current,
    /// All other sessions of the user.
    Others,
    /// All sessions of the user.
    All,
}

/// The result of `logout`.
#[derive(SimpleObject, Default)]
pub struct LogoutPayload {
    /// False only with `errors`. Invalid or missing credentials are no error: there is nothing to end.
    ok: bool,
    /// The number of ended sessions.
    revoked_session_count: usize,
    /// The number of revoked API tokens.
    revoked_api_token_count: usize,
    /// Errors that the user can correct; empty on success.
    errors: Vec<AccountError>,
}

impl Payload for LogoutPayload {
    fn from_errors(errors: Vec<AccountError>) -> Self {
        Self { errors, ..Self::default() }
    }
}

/// Mutations that end sessions.
#[derive(Default)]
pub struct LogoutMutation;

#[Object]
impl LogoutMutation {
    /// Ends the current session, all others, or all, immediately. A refresh token suffices, in the input or in a
    /// cookie. An expired access token or a replaced refresh token can end its own session only: with an expired access
    /// token, OTHERS and ALL fail with UNAUTHENTICATED and end nothing (refresh and retry); with a replaced refresh
    /// token, its own session ends and `errors` contains SESSION_ENDED. Cookies of ended sessions are cleared.
    async fn logout(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The sessions to end; the current one by default.")] input: Option<LogoutInput>,
    ) -> Result<LogoutPayload> {
        into_payload(ctx, run(ctx, input.unwrap_or_default()).await)
    }
}

async fn run(ctx: &Context<'_>, input: LogoutInput) -> crate::error::Result<LogoutPayload> {
    let token = input.refresh_token.map(Into::into);
    let scope = SessionScope::from(input.scope);
    let api_tokens = scope.api_tokens(input.revoke_api_tokens);
    let (app, requester, cookies) = (ctx.app()?, ctx.requester()?, ctx.response_cookies()?);
    let outcome = logout::logout(app, requester, token.as_ref(), scope, api_tokens).await?;
    if scope != SessionScope::Current {
        cookies.drop_ended(app, &requester.context).await?;
    }
    if let Some(dead) = outcome.dead_cookies {
        cookies.clear(dead);
    }
    let payload = LogoutPayload {
        ok: true,
        revoked_session_count: outcome.ended.sessions,
        revoked_api_token_count: outcome.ended.api_tokens,
        errors: Vec::new(),
    };
    if !outcome.is_partial {
        return Ok(payload);
    }
    let message = "the refresh token was already replaced: only its own session was ended; sign in to end the others";
    let refusal = Refusal::new(RefusalCode::SessionEnded, message).for_field("refreshToken");
    if !ctx.look_ahead().field("errors").exists() {
        return Err(refusal.into());
    }
    Ok(LogoutPayload { ok: false, errors: vec![refusal.into()], ..payload })
}
