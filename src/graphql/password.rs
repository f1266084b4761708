//! Passwords: changed by their owner, set by an administrator.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use secrecy::ExposeSecret;

use super::administration::UserPayload;
use super::context::ContextExt;
use super::error::{AccountError, Payload, Result, into_payload};
use super::guard::guard;
use super::node::parse_object_id;
use super::session::Session;
use super::token_pair::TokenPair;
use super::user::User;
use crate::account::access::rule;
use crate::account::authentication::password::{self, PasswordUpdateResult, UpdatePassword};
use crate::account::authentication::session::ApiTokenSelection;

/// The old password and the new one.
#[derive(InputObject)]
pub struct UpdatePasswordInput {
    /// The password until now.
    #[graphql(secret)]
    current_password: String,
    /// The password from now on: 8 to 256 characters that are hard to guess.
    #[graphql(secret)]
    new_password: String,
    /// Whether all other sessions end, too, with the API tokens that logins made in place of sessions.
    #[graphql(default = true)]
    revoke_other_sessions: bool,
    /// Whether all other API tokens are revoked, too. Choose this if somebody else may have had the account.
    #[graphql(default = false)]
    revoke_api_tokens: bool,
}

/// The session that goes on with the new password.
#[derive(SimpleObject, Default)]
pub struct UpdatePasswordPayload {
    /// Whose password it is.
    user: Option<User>,
    /// The tokens to go on with; those from before the change open nothing any more.
    tokens: Option<TokenPair>,
    /// The session they belong to: a new one in the place of the old.
    session: Option<Session>,
    /// How many other sessions were ended.
    revoked_session_count: usize,
    /// How many API tokens were revoked.
    revoked_api_token_count: usize,
    /// Keep it on this device in the place of the old one, and send it with the next login: with the old password all
    /// device tokens are void.
    device_token: Option<String>,
    /// What the person can fix.
    errors: Vec<AccountError>,
}

impl Payload for UpdatePasswordPayload {
    fn from_errors(errors: Vec<AccountError>) -> Self {
        Self { errors, ..Self::default() }
    }
}

/// The password that a user gets.
#[derive(InputObject)]
pub struct SetUserPasswordInput {
    /// Whose.
    user_id: ID,
    /// The new password.
    #[graphql(secret)]
    password: String,
    /// Whether the user has to choose another one before anything else.
    #[graphql(default = true)]
    must_change: bool,
    /// Whether all API tokens of the user are revoked. Those that logins made in place of sessions end in any case.
    #[graphql(default = true)]
    revoke_api_tokens: bool,
}

/// Mutations of passwords.
#[derive(Default)]
pub struct PasswordMutation;

#[Object]
impl PasswordMutation {
    /// Changes one's own password. The other sessions end, and this one is replaced by a new one.
    #[graphql(directive = guard::apply(rule::UPDATE_PASSWORD))]
    async fn update_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The old password and the new one.")] input: UpdatePasswordInput,
    ) -> Result<UpdatePasswordPayload> {
        into_payload(ctx, update(ctx, input).await)
    }

    /// Sets a user's password; all sessions of the user end, and all API tokens unless `revokeApiTokens` is false.
    #[graphql(directive = guard::apply(rule::WRITE_USERS))]
    async fn set_user_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose password, and which.")] input: SetUserPasswordInput,
    ) -> Result<UserPayload> {
        into_payload(ctx, set(ctx, input).await)
    }
}

async fn update(ctx: &Context<'_>, input: UpdatePasswordInput) -> crate::error::Result<UpdatePasswordPayload> {
    let requester = ctx.requester()?;
    let input = UpdatePassword {
        current: input.current_password.into(),
        new: input.new_password.into(),
        end_others: input.revoke_other_sessions,
        revoke_api_tokens: input.revoke_api_tokens,
    };
    let PasswordUpdateResult { issued, ended, device_token } = password::update(ctx.app()?, requester, input).await?;
    let new_requester = Arc::new(issued.requester(requester.context.clone()));
    Ok(UpdatePasswordPayload {
        tokens: Some(TokenPair::of(&issued)),
        user: Some(User::new(issued.user, Arc::clone(&new_requester))),
        session: Some(Session::new(issued.session, new_requester)),
        revoked_session_count: ended.sessions,
        revoked_api_token_count: ended.api_tokens,
        device_token: Some(device_token.expose_secret().to_owned()),
        errors: Vec::new(),
    })
}

async fn set(ctx: &Context<'_>, input: SetUserPasswordInput) -> crate::error::Result<UserPayload> {
    let requester = ctx.requester()?;
    requester.authorize(rule::WRITE_USERS)?;
    let id = parse_object_id(&input.user_id, "userId")?;
    let tokens = ApiTokenSelection::from_flag(input.revoke_api_tokens);
    let row = password::set(ctx.app()?, requester, id, input.password.into(), input.must_change, tokens).await?;
    Ok(UserPayload::new(row, requester))
}
