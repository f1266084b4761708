//! `updateProfile`: what one changes about oneself.

use async_graphql::{Context, InputObject, MaybeUndefined, Object};

use super::administration::{UserPayload, nullable};
use super::context::ContextExt;
use super::error::{Result, into_payload};
use super::guard::guard;
use crate::account::access::rule;
use crate::account::user::administration::UpdateUser;
use crate::account::user::profile;

/// What to change; what is left out stays.
#[derive(InputObject)]
pub struct UpdateProfileInput {
    /// The new username.
    username: Option<String>,
    /// The new display name; null clears it.
    display_name: MaybeUndefined<String>,
}

/// Mutations of one's own profile.
#[derive(Default)]
pub struct ProfileMutation;

#[Object]
impl ProfileMutation {
    /// Changes one's own names.
    #[graphql(directive = guard::apply(rule::UPDATE_PROFILE))]
    async fn update_profile(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateProfileInput,
    ) -> Result<UserPayload> {
        into_payload(ctx, run(ctx, &input).await)
    }
}

async fn run(ctx: &Context<'_>, input: &UpdateProfileInput) -> crate::error::Result<UserPayload> {
    let requester = ctx.requester()?;
    requester.authorize(rule::UPDATE_PROFILE)?;
    let changes = UpdateUser::parse(input.username.as_deref(), None, nullable(&input.display_name))?;
    let row = profile::update(ctx.app()?, requester, changes).await?;
    Ok(UserPayload::new(row, requester))
}
