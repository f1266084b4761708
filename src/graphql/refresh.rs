//! `refresh`: rotates a refresh token and returns the next token pair.

use std::sync::Arc;

use async_graphql::{Context, Enum, InputObject, Object, SimpleObject};

use super::context::ContextExt;
use super::error::{AccountError, Payload, Result, into_payload};
use super::session::Session;
use super::token_pair::TokenPair;
use super::user::User;
use crate::account::authentication::refresh::{self, RotationOutcome};
use crate::account::authentication::refresh_decision::{OldAccessToken, RotationMode};

/// The refresh token to rotate.
#[derive(InputObject)]
pub struct RefreshInput {
    /// The refresh token of the last pair; omitted by clients that have it in a cookie.
    #[graphql(secret)]
    refresh_token: Option<String>,
}

/// The result of a refresh.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RefreshOutcome {
    /// The refresh token was rotated; the pair is new.
    Rotated,
    /// The token had already been rotated, by another tab or by a request whose response was lost; the same pair was
    /// returned.
    Replayed,
    /// No pair was issued; see `errors`.
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

/// The result of `refresh`.
#[derive(SimpleObject, Default)]
pub struct RefreshPayload {
    /// The user of the session.
    user: Option<User>,
    /// The next token pair.
    tokens: Option<TokenPair>,
    /// The refreshed session.
    session: Option<Session>,
    /// Whether the refresh token was rotated, replayed or refused.
    outcome: RefreshOutcome,
    /// Errors that the user can correct, usually by signing in.
    errors: Vec<AccountError>,
}

impl Payload for RefreshPayload {
    fn from_errors(errors: Vec<AccountError>) -> Self {
        Self { errors, ..Self::default() }
    }
}

/// Mutations that refresh sessions.
#[derive(Default)]
pub struct RefreshMutation;

#[Object]
impl RefreshMutation {
    /// Returns the next token pair of a session. Parallel requests with one refresh token, and retries after a lost
    /// response, get the same pair; later reuse of a replaced token ends the session. An access token in the request is
    /// ignored.
    async fn refresh(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The refresh token to rotate.")] input: Option<RefreshInput>,
    ) -> Result<RefreshPayload> {
        into_payload(ctx, run(ctx, input).await)
    }
}

async fn run(ctx: &Context<'_>, input: Option<RefreshInput>) -> crate::error::Result<RefreshPayload> {
    let client = &ctx.requester()?.context;
    let token = input.and_then(|input| input.refresh_token).map(Into::into);
    let (renewed, outcome) =
        refresh::refresh(ctx.app()?, client, token.as_ref(), RotationMode::Rotate(OldAccessToken::Keep)).await?;
    let requester = Arc::new(renewed.requester(client.clone()));
    Ok(RefreshPayload {
        tokens: Some(TokenPair::issue(ctx, &renewed)?),
        user: Some(User::new(renewed.user, Arc::clone(&requester))),
        session: Some(Session::new(renewed.session, requester)),
        outcome: outcome.into(),
        errors: Vec::new(),
    })
}
