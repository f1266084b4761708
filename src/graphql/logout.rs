//! `logout`: ends sessions of one's own.

use async_graphql::{Context, Enum, InputObject, Object, SimpleObject};

use super::context::Given;
use super::error::{AccountError, Payload, Result, settle};
use crate::account::logout::{self, Scope};

/// What to end.
#[derive(InputObject, Default)]
pub struct LogoutInput {
    /// Which sessions.
    #[graphql(default_with = "LogoutScope::Current")]
    scope: LogoutScope,
    /// The refresh token of the session; needed only by those who have neither access token nor cookies.
    #[graphql(secret)]
    refresh_token: Option<String>,
}

/// Which sessions to end.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[graphql(remote = "Scope")]
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
    /// Always true: logout does not fail on stale credentials, and with none there is nothing to end.
    ok: bool,
    /// How many sessions were ended.
    revoked_session_count: usize,
    /// What the person can fix.
    errors: Vec<AccountError>,
}

impl Payload for LogoutPayload {
    fn refused(errors: Vec<AccountError>) -> Self {
        Self { errors, ..Self::default() }
    }
}

/// Mutations that end sessions.
#[derive(Default)]
pub struct LogoutMutation;

#[Object]
impl LogoutMutation {
    /// Ends this session, the others, or all, at once. An expired access token is enough, and so is a refresh token
    /// alone, given or in a cookie. Cookies that open nothing any more go.
    async fn logout(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to end; this session, if nothing is said.")] input: Option<LogoutInput>,
    ) -> Result<LogoutPayload> {
        settle(ctx, run(ctx, input.unwrap_or_default()).await)
    }
}

async fn run(ctx: &Context<'_>, input: LogoutInput) -> crate::error::Result<LogoutPayload> {
    let token = input.refresh_token.map(Into::into);
    let (count, _) = logout::logout(ctx.app()?, ctx.requester()?, token.as_ref(), input.scope.into()).await?;
    Ok(LogoutPayload { ok: true, revoked_session_count: count, errors: Vec::new() })
}
