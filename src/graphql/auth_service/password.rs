//! Passwords: changed by their owner, given anew by an administrator.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::administration::{not_found, whose};
use super::error::{BAD_REQUEST, Failure, Result, refused};
use crate::account::access;
use crate::account::password::{self, UpdatePassword};
use crate::error::{Error, RefusalCode};
use crate::graphql::context::Given;
use secrecy::ExposeSecret;

/// Fewest characters of a name or a password; where accountd's own rules ask for more, those hold.
const MIN_LENGTH: usize = 3;

/// Whether a name or a password has the form that the old service asked for.
pub(super) fn is_well_formed(text: &str) -> bool {
    text.chars().count() >= MIN_LENGTH && !text.contains(' ')
}

/// Refuses a new password that was not typed alike twice.
pub(super) fn is_typed_alike(password: &str, again: &str) -> Result<()> {
    if password == again { Ok(()) } else { Err(Failure::saying("Passwords don't match")) }
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
        if !is_well_formed(&input.new_password) {
            return Err(Failure::saying(BAD_REQUEST));
        }
        is_typed_alike(&input.new_password, &input.password_confirmed)?;
        let change = UpdatePassword {
            current: input.current_password.into(),
            new: input.new_password.into(),
            end_others: true,
            revoke_api_tokens: false,
        };
        password::update_within(ctx.app()?, ctx.requester()?, change).await.map_err(not_changed)?;
        Ok(Some(UpdatedPassword { ok: Some(true) }))
    }

    /// Gives an account a random password, which has to be changed first.
    async fn reset_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose.")] input: ResetPasswordInput,
    ) -> Result<Option<ResetPassword>> {
        let requester = ctx.requester()?;
        requester.permit(access::WRITE_USERS)?;
        let (_, made) = password::reset(ctx.app()?, requester, whose(&input.id)?).await.map_err(not_found)?;
        Ok(Some(ResetPassword { password: Some(made.expose_secret().to_owned()) }))
    }
}

fn not_changed(error: Error) -> Failure {
    match refused(&error) {
        Some(RefusalCode::WrongPassword) => Failure::saying("Current password don't match"),
        Some(RefusalCode::SamePassword) => Failure::saying("The new password is equal as the current password"),
        Some(RefusalCode::WeakPassword) => Failure::saying(BAD_REQUEST),
        _ => error.into(),
    }
}
