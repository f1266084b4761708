//! Passwords: change one's own, or reset that of another user.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use secrecy::ExposeSecret;

use super::error::{BAD_REQUEST, LegacyError, Result, first_refusal, map_not_found};
use super::user::parse_user_id;
use crate::account::access::rule;
use crate::account::authentication::password::{self, UpdatePassword};
use crate::account::authentication::password_reset;
use crate::error::{Error, RefusalCode};
use crate::graphql::context::ContextExt;

/// Minimum length of a username or password, in characters; accountd's own rules may require more.
const MIN_LENGTH: usize = 3;

/// Whether a username or password has the form that the older service required.
pub(super) fn has_legacy_form(text: &str) -> bool {
    text.chars().count() >= MIN_LENGTH && !text.contains(' ')
}

/// Refuses a new password that differs from its repetition.
pub(super) fn require_matching(password: &str, confirmation: &str) -> Result<()> {
    if password == confirmation { Ok(()) } else { Err(LegacyError::with_message("Passwords don't match")) }
}

/// The current and the new password.
#[derive(InputObject)]
#[graphql(rename_fields = "snake_case")]
pub struct UpdatePasswordInput {
    /// The current password.
    #[graphql(secret)]
    current_password: String,
    /// The new password.
    #[graphql(secret)]
    new_password: String,
    /// The new password, repeated.
    #[graphql(secret)]
    password_confirmed: String,
}

/// The result of `update_password`.
#[derive(SimpleObject)]
#[graphql(name = "UpdatePassword")]
pub struct UpdatedPassword {
    /// Always true.
    ok: Option<bool>,
}

/// The user whose password to reset.
#[derive(InputObject)]
pub struct ResetPasswordInput {
    /// The global id of the user.
    id: ID,
}

/// The result of `reset_password`.
#[derive(SimpleObject)]
pub struct ResetPassword {
    /// The random password, which the user must change; it is returned once.
    password: Option<String>,
}

/// Mutations of passwords.
#[derive(Default)]
pub struct PasswordMutation;

#[Object(rename_fields = "snake_case", rename_args = "snake_case")]
impl PasswordMutation {
    /// Changes the caller's own password. All other sessions end; the current one continues.
    async fn update_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The current and the new password.")] input: UpdatePasswordInput,
    ) -> Result<Option<UpdatedPassword>> {
        if !has_legacy_form(&input.new_password) {
            return Err(LegacyError::with_message(BAD_REQUEST));
        }
        require_matching(&input.new_password, &input.password_confirmed)?;
        let change = UpdatePassword {
            current: input.current_password.into(),
            new: input.new_password.into(),
            end_others: true,
            revoke_api_tokens: false,
        };
        password::update_keeping_session(ctx.app()?, ctx.requester()?, change).await.map_err(map_update_error)?;
        Ok(Some(UpdatedPassword { ok: Some(true) }))
    }

    /// Sets a random password, which the user must change at the next login.
    async fn reset_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user whose password to reset.")] input: ResetPasswordInput,
    ) -> Result<Option<ResetPassword>> {
        let requester = ctx.requester()?;
        requester.authorize(rule::WRITE_USERS)?;
        let (_, generated) =
            password_reset::reset(ctx.app()?, requester, parse_user_id(&input.id)?).await.map_err(map_not_found)?;
        Ok(Some(ResetPassword { password: Some(generated.expose_secret().to_owned()) }))
    }
}

fn map_update_error(error: Error) -> LegacyError {
    match first_refusal(&error) {
        Some(RefusalCode::WrongPassword) => LegacyError::with_message("Current password don't match"),
        Some(RefusalCode::SamePassword) => {
            LegacyError::with_message("The new password is equal as the current password")
        }
        Some(RefusalCode::WeakPassword) => LegacyError::with_message(BAD_REQUEST),
        _ => error.into(),
    }
}
