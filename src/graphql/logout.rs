//! `logout`: ends sessions of one's own.

use async_graphql::{Context, Enum, InputObject, Object, SimpleObject};

use super::context::ContextExt;
use super::error::{AccountError, Payload, Result, into_payload};
use crate::account::authentication::logout::{self, SessionScope};
use crate::error::{Refusal, RefusalCode};

/// What to end.
#[derive(InputObject, Default)]
pub struct LogoutInput {
    /// Which sessions.
    #[graphql(default_with = "LogoutScope::Current")]
    scope: LogoutScope,
    /// Whether the API tokens that a person made are revoked, too; left out or null, they are with ALL and not otherwise.
    /// Those that logins made in place of sessions end with OTHERS and ALL in any case.
    revoke_api_tokens: Option<bool>,
    /// The refresh token of the session; needed only by those who have neither access token nor cookies.
    #[graphql(secret)]
    refresh_token: Option<String>,
}

/// Which sessions to end.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[graphql(remote = "SessionScope")]
pub enum LogoutScope {
    /// The one the token belongs to.
    #[default]
    Current,
    /// All others of the same account.
    Others,
    /// All of the account.
    All,
}

/// What was ended.
#[derive(SimpleObject, Default)]
pub struct LogoutPayload {
    /// False only with `errors`: logout does not fail on unusable credentials, and with none there is nothing to end.
    ok: bool,
    /// How many sessions were ended.
    revoked_session_count: usize,
    /// How many API tokens were revoked.
    revoked_api_token_count: usize,
    /// What the person can fix.
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
    /// Ends this session, the others, or all, at once. A refresh token alone suffices, given or in a cookie. A spent
    /// credential ends its own session only. With an expired access token, OTHERS and ALL answer UNAUTHENTICATED and end
    /// nothing: refresh and repeat. With a refresh token that was replaced before, its own session ends and `errors` has
    /// SESSION_ENDED. Cookies of ended sessions are cleared.
    async fn logout(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to end; this session, if nothing is said.")] input: Option<LogoutInput>,
    ) -> Result<LogoutPayload> {
        into_payload(ctx, run(ctx, input.unwrap_or_default()).await)
    }
}

async fn run(ctx: &Context<'_>, input: LogoutInput) -> crate::error::Result<LogoutPayload> {
    let token = input.refresh_token.map(Into::into);
    let scope = SessionScope::from(input.scope);
    let api_tokens = scope.api_tokens(input.revoke_api_tokens);
    let outcome = logout::logout(ctx.app()?, ctx.requester()?, token.as_ref(), scope, api_tokens).await?;
    let payload = LogoutPayload {
        ok: true,
        revoked_session_count: outcome.ended.sessions,
        revoked_api_token_count: outcome.ended.api_tokens,
        errors: Vec::new(),
    };
    if !outcome.is_partial {
        return Ok(payload);
    }
    let message = "the refresh token was replaced before: only its own session has ended; sign in to end the others";
    let refusal = Refusal::new(RefusalCode::SessionEnded, message).for_field("refreshToken");
    if !ctx.look_ahead().field("errors").exists() {
        return Err(refusal.into());
    }
    Ok(LogoutPayload { ok: false, errors: vec![refusal.into()], ..payload })
}
