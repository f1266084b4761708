//! `updateProfile`: changes of the caller's own profile.

use async_graphql::{Context, InputObject, MaybeUndefined, Object};

use super::administration::UserPayload;
use super::context::ContextExt;
use super::error::{Result, into_payload};
use super::guard::guard;
use crate::account::access::rule;
use crate::account::user::profile;
use crate::account::user::update::UpdateUser;

/// The changes; omitted fields are unchanged.
#[derive(InputObject)]
pub struct UpdateProfileInput {
    /// The new username: 1 to 64 letters, digits, dots, dashes and underscores, beginning with a letter or a digit.
    username: Option<String>,
    /// The new display name, one line of at most 200 characters; null removes it.
    display_name: MaybeUndefined<String>,
}

/// Mutations of the caller's own profile.
#[derive(Default)]
pub struct ProfileMutation;

#[Object]
impl ProfileMutation {
    /// Changes the caller's own username or display name.
    #[graphql(directive = guard::apply(rule::UPDATE_PROFILE))]
    async fn update_profile(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The changes.")] input: UpdateProfileInput,
    ) -> Result<UserPayload> {
        into_payload(ctx, run(ctx, &input).await)
    }
}

async fn run(ctx: &Context<'_>, input: &UpdateProfileInput) -> crate::error::Result<UserPayload> {
    let requester = ctx.requester()?;
    requester.authorize(rule::UPDATE_PROFILE)?;
    let changes = UpdateUser::parse(input.username.as_deref(), None, input.display_name.as_opt_deref())?;
    let row = profile::update(ctx.app()?, requester, changes).await?;
    Ok(UserPayload::new(row, requester))
}
