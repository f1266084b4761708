//! Passwords: change one's own, or set that of another user.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use secrecy::ExposeSecret;

use super::administration::UserPayload;
use super::context::ContextExt;
use super::error::{AccountError, Payload, Result, into_payload};
use super::guard::guard;
use super::object_id::parse_object_id;
use super::session::Session;
use super::token_pair::TokenPair;
use super::user::User;
use crate::account::access::rule;
use crate::account::authentication::password::{self, PasswordUpdateResult, UpdatePassword};
use crate::account::authentication::password_reset::{self, PasswordValidity};
use crate::account::authentication::session_end::ApiTokenSelection;

/// The current and the new password.
#[derive(InputObject)]
pub struct UpdatePasswordInput {
    /// The current password.
    #[graphql(secret)]
    current_password: String,
    /// The new password: 8 to 256 characters that are hard to guess; the setting `password.min_length` may require
    /// more.
    #[graphql(secret)]
    new_password: String,
    /// Whether to end all other sessions, with the API tokens that logins created in place of sessions.
    #[graphql(default = true)]
    revoke_other_sessions: bool,
    /// Whether to revoke all other API tokens, too. Use it if the account may be compromised.
    #[graphql(default = false)]
    revoke_api_tokens: bool,
}

/// The result of `updatePassword`.
#[derive(SimpleObject, Default)]
pub struct UpdatePasswordPayload {
    /// The user whose password was changed.
    user: Option<User>,
    /// The tokens of the new session; all tokens from before the change are invalid.
    tokens: Option<TokenPair>,
    /// The new session, which replaces the current one.
    session: Option<Session>,
    /// The number of other sessions that were ended.
    revoked_session_count: usize,
    /// The number of revoked API tokens.
    revoked_api_token_count: usize,
    /// The new device token: store it in place of the old one and send it with the next login. The password change has
    /// invalidated all earlier device tokens.
    device_token: Option<String>,
    /// Errors that the user can correct; empty on success.
    errors: Vec<AccountError>,
}

impl Payload for UpdatePasswordPayload {
    fn from_errors(errors: Vec<AccountError>) -> Self {
        Self { errors, ..Self::default() }
    }
}

/// The new password of a user.
#[derive(InputObject)]
pub struct SetUserPasswordInput {
    /// The id of the user.
    user_id: ID,
    /// The new password.
    #[graphql(secret)]
    password: String,
    /// Whether the user must set a new password at the next login.
    #[graphql(default = true)]
    must_change: bool,
    /// Whether to revoke all API tokens of the user. Those that logins created in place of sessions always end.
    #[graphql(default = true)]
    revoke_api_tokens: bool,
}

/// Mutations of passwords.
#[derive(Default)]
pub struct PasswordMutation;

#[Object]
impl PasswordMutation {
    /// Changes the caller's own password. All other sessions end by default, and a new session replaces the current
    /// one.
    #[graphql(directive = guard::apply(rule::UPDATE_PASSWORD))]
    async fn update_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The current and the new password.")] input: UpdatePasswordInput,
    ) -> Result<UpdatePasswordPayload> {
        into_payload(ctx, update(ctx, input).await)
    }

    /// Sets the password of a user. All sessions of the user end, and all API tokens unless `revokeApiTokens` is false.
    /// The caller must hold every permission of the user.
    #[graphql(directive = guard::apply(rule::WRITE_USERS))]
    async fn set_user_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user and the new password.")] input: SetUserPasswordInput,
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
        tokens: Some(TokenPair::issue(ctx, &issued)?),
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
    let validity = if input.must_change { PasswordValidity::Temporary } else { PasswordValidity::Permanent };
    let row = password_reset::set(ctx.app()?, requester, id, input.password.into(), validity, tokens).await?;
    Ok(UserPayload::new(row, requester))
}
