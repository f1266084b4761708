//! Passwords: changed by their owner, given anew by an administrator.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::administration::{map_not_found, parse_user_id};
use super::error::{BAD_REQUEST, LegacyError, Result, first_refusal};
use crate::account::access::rule;
use crate::account::authentication::password::{self, UpdatePassword};
use crate::error::{Error, RefusalCode};
use crate::graphql::context::ContextExt;
use secrecy::ExposeSecret;

/// Fewest characters of a name or a password; where accountd's own rules ask for more, those hold.
const MIN_LENGTH: usize = 3;

/// Whether a name or a password has the form that the old service asked for.
pub(super) fn has_legacy_form(text: &str) -> bool {
    text.chars().count() >= MIN_LENGTH && !text.contains(' ')
}

/// Refuses a new password that was not typed alike twice.
pub(super) fn require_matching(password: &str, confirmation: &str) -> Result<()> {
    if password == confirmation { Ok(()) } else { Err(LegacyError::with_message("Passwords don't match")) }
}

/// The old password and the new one.
#[derive(InputObject)]
#[graphql(rename_fields = "snake_case")]
pub struct UpdatePasswordInput {
    /// The password until now.
    #[graphql(secret)]
    current_password: String,
    /// The password from now on.
    #[graphql(secret)]
    new_password: String,
    /// The same again.
    #[graphql(secret)]
    password_confirmed: String,
}

/// That it was changed.
#[derive(SimpleObject)]
#[graphql(name = "UpdatePassword")]
pub struct UpdatedPassword {
    /// True.
    ok: Option<bool>,
}

/// Whose password shall be another one.
#[derive(InputObject)]
pub struct ResetPasswordInput {
    /// Whose.
    id: ID,
}

/// The password that was given.
#[derive(SimpleObject)]
pub struct ResetPassword {
    /// The password, which its owner has to change; it is told this once.
    password: Option<String>,
}

/// Mutations of passwords.
#[derive(Default)]
pub struct PasswordMutation;

#[Object(rename_fields = "snake_case", rename_args = "snake_case")]
impl PasswordMutation {
    /// Changes one's own password; the other sessions end, and this one goes on.
    async fn update_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The old password and the new one.")] input: UpdatePasswordInput,
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

    /// Gives an account a random password, which has to be changed first.
    async fn reset_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose.")] input: ResetPasswordInput,
    ) -> Result<Option<ResetPassword>> {
        let requester = ctx.requester()?;
        requester.authorize(rule::WRITE_USERS)?;
        let (_, generated) =
            password::reset(ctx.app()?, requester, parse_user_id(&input.id)?).await.map_err(map_not_found)?;
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
