//! `refresh`: the next pair of tokens.

use std::sync::Arc;

use async_graphql::{Context, Enum, InputObject, Object, SimpleObject};

use super::context::ContextExt;
use super::error::{AccountError, Payload, Result, into_payload};
use super::session::Session;
use super::token_pair::TokenPair;
use super::user::User;
use crate::account::authentication::refresh::{self, OldAccessToken, RotationOutcome};

/// What buys the next pair.
#[derive(InputObject)]
pub struct RefreshInput {
    /// The refresh token of the last pair; left out by clients that have it in a cookie.
    #[graphql(secret)]
    refresh_token: Option<String>,
}

/// How the server read a refresh.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RefreshOutcome {
    /// The session moved on; the pair is new.
    Rotated,
    /// The session had moved on already: a second tab, or a client that lost the last answer, got the same pair.
    Replayed,
    /// No pair; `errors` says why.
    #[default]
    Refused,
}

impl From<RotationOutcome> for RefreshOutcome {
    fn from(outcome: RotationOutcome) -> Self {
        match outcome {
            RotationOutcome::Rotated => Self::Rotated,
            RotationOutcome::Replayed => Self::Replayed,
        }
    }
}

/// The renewed session.
#[derive(SimpleObject, Default)]
pub struct RefreshPayload {
    /// Whose session it is.
    user: Option<User>,
    /// The next pair.
    tokens: Option<TokenPair>,
    /// The session.
    session: Option<Session>,
    /// How the server read this call.
    outcome: RefreshOutcome,
    /// What the person can fix: mostly by signing in.
    errors: Vec<AccountError>,
}

impl Payload for RefreshPayload {
    fn from_errors(errors: Vec<AccountError>) -> Self {
        Self { errors, ..Self::default() }
    }
}

/// Mutations that renew sessions.
#[derive(Default)]
pub struct RefreshMutation;

#[Object]
impl RefreshMutation {
    /// Renews a session. Asking twice with one token, from two tabs or after a lost answer, gives the same pair twice;
    /// asking with one that was replaced long ago ends the session. An access token that comes along is not looked at.
    async fn refresh(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What buys the next pair.")] input: Option<RefreshInput>,
    ) -> Result<RefreshPayload> {
        into_payload(ctx, run(ctx, input).await)
    }
}

async fn run(ctx: &Context<'_>, input: Option<RefreshInput>) -> crate::error::Result<RefreshPayload> {
    let client = &ctx.requester()?.context;
    let token = input.and_then(|input| input.refresh_token).map(Into::into);
    let (renewed, outcome) = refresh::refresh(ctx.app()?, client, token.as_ref(), OldAccessToken::Keep).await?;
    let requester = Arc::new(renewed.requester(client.clone()));
    Ok(RefreshPayload {
        tokens: Some(TokenPair::of(&renewed)),
        user: Some(User::new(renewed.user, Arc::clone(&requester))),
        session: Some(Session::new(renewed.session, requester)),
        outcome: outcome.into(),
        errors: Vec::new(),
    })
}
