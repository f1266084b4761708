//! Administration: users made, changed, disabled and deleted by those who may.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use entity::user;

use super::context::ContextExt;
use super::error::{AccountError, Payload, Result, into_payload};
use super::guard::guard;
use super::node::parse_object_id;
use super::user::{User, UserStatus};
use crate::account::access::rule;
use crate::account::caller::requester::Requester;
use crate::account::user::administration::{self, UpdateUser};
use crate::account::user::query::NewUser;

/// The account to make.
#[derive(InputObject)]
pub struct CreateUserInput {
    /// The name to sign in with: 1 to 64 letters, digits, dots, dashes and underscores.
    username: String,
    /// An e-mail address.
    email: Option<String>,
    /// The first password.
    #[graphql(secret)]
    password: String,
    /// The name to show.
    display_name: Option<String>,
    /// The names of the roles; giving roles needs the permission to assign them.
    #[graphql(default)]
    roles: Vec<String>,
    /// Whether the owner has to choose another password before anything else.
    #[graphql(default)]
    must_change_password: bool,
    /// The tenant to whom the account belongs; one's own if nothing is said.
    tenant_id: Option<ID>,
}

/// What to change about a user; what is left out stays.
#[derive(InputObject)]
pub struct UpdateUserInput {
    /// Which user.
    user_id: ID,
    /// The new username.
    username: Option<String>,
    /// The new e-mail address; null clears it.
    email: MaybeUndefined<String>,
    /// The new display name; null clears it.
    display_name: MaybeUndefined<String>,
    /// Whether the owner has to choose a new password before anything else.
    must_change_password: Option<bool>,
}

/// The status that a user gets.
#[derive(InputObject)]
pub struct SetUserStatusInput {
    /// Which user.
    user_id: ID,
    /// The status.
    status: UserStatus,
}

/// The user to delete.
#[derive(InputObject)]
pub struct DeleteUserInput {
    /// Which user.
    user_id: ID,
}

/// A user that was made or changed.
#[derive(SimpleObject, Default)]
pub struct UserPayload {
    /// The user as it is now.
    user: Option<User>,
    /// What the person can fix.
    errors: Vec<AccountError>,
}

impl UserPayload {
    /// The payload of an operation that succeeded.
    pub(super) fn new(row: user::Model, requester: &Arc<Requester>) -> Self {
        Self { user: Some(User::new(row, Arc::clone(requester))), errors: Vec::new() }
    }
}

impl Payload for UserPayload {
    fn from_errors(errors: Vec<AccountError>) -> Self {
        Self { errors, ..Self::default() }
    }
}

/// What was deleted.
#[derive(SimpleObject, Default)]
pub struct DeleteUserPayload {
    /// The id that is no more.
    deleted_user_id: Option<ID>,
    /// What the person can fix.
    errors: Vec<AccountError>,
}

impl Payload for DeleteUserPayload {
    fn from_errors(errors: Vec<AccountError>) -> Self {
        Self { errors, ..Self::default() }
    }
}

/// Left out: stays; null: cleared; else: set.
pub(super) fn nullable(value: &MaybeUndefined<String>) -> Option<Option<&str>> {
    value.as_opt_deref()
}

/// Mutations of users by administrators.
#[derive(Default)]
pub struct AdministrationMutation;

#[Object]
impl AdministrationMutation {
    /// Makes an account for somebody else.
    #[graphql(directive = guard::apply(rule::WRITE_USERS))]
    async fn create_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The account to make.")] input: CreateUserInput,
    ) -> Result<UserPayload> {
        into_payload(ctx, create(ctx, input).await)
    }

    /// Changes a user's names, and whether a new password has to be chosen.
    #[graphql(directive = guard::apply(rule::WRITE_USERS))]
    async fn update_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateUserInput,
    ) -> Result<UserPayload> {
        into_payload(ctx, update(ctx, &input).await)
    }

    /// Lets a user sign in or not; disabling ends all sessions of the user at once.
    #[graphql(directive = guard::apply(rule::WRITE_USERS))]
    async fn set_user_status(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which user and which status.")] input: SetUserStatusInput,
    ) -> Result<UserPayload> {
        into_payload(ctx, set_status(ctx, &input).await)
    }

    /// Deletes a user with all sessions; the name is free afterwards, old tokens do not fit who takes it.
    #[graphql(directive = guard::apply(rule::DELETE_USERS))]
    async fn delete_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which user.")] input: DeleteUserInput,
    ) -> Result<DeleteUserPayload> {
        into_payload(ctx, delete(ctx, &input).await)
    }
}

async fn create(ctx: &Context<'_>, input: CreateUserInput) -> crate::error::Result<UserPayload> {
    let requester = ctx.requester()?;
    // Who may not do this learns nothing about what would be wrong with it.
    requester.authorize(rule::WRITE_USERS)?;
    let CreateUserInput { username, email, password, display_name, roles, must_change_password, tenant_id } = input;
    let tenant = tenant_id.map(|id| parse_object_id(&id, "tenantId")).transpose()?;
    let user = NewUser::parse(&username, email.as_deref(), display_name.as_deref(), password.into())?;
    let user = NewUser { must_change_password, ..user };
    let row = administration::create_in_tenant(ctx.app()?, requester, user, roles, tenant).await?;
    Ok(UserPayload::new(row, requester))
}

async fn update(ctx: &Context<'_>, input: &UpdateUserInput) -> crate::error::Result<UserPayload> {
    let requester = ctx.requester()?;
    requester.authorize(rule::WRITE_USERS)?;
    let id = parse_object_id(&input.user_id, "userId")?;
    let changes = UpdateUser::parse(input.username.as_deref(), nullable(&input.email), nullable(&input.display_name))?;
    let changes = UpdateUser { must_change_password: input.must_change_password, ..changes };
    let row = administration::update(ctx.app()?, requester, id, changes).await?;
    Ok(UserPayload::new(row, requester))
}

async fn set_status(ctx: &Context<'_>, input: &SetUserStatusInput) -> crate::error::Result<UserPayload> {
    let requester = ctx.requester()?;
    requester.authorize(rule::WRITE_USERS)?;
    let id = parse_object_id(&input.user_id, "userId")?;
    let row = administration::set_status(ctx.app()?, requester, id, input.status.into()).await?;
    Ok(UserPayload::new(row, requester))
}

async fn delete(ctx: &Context<'_>, input: &DeleteUserInput) -> crate::error::Result<DeleteUserPayload> {
    let requester = ctx.requester()?;
    requester.authorize(rule::DELETE_USERS)?;
    let id = parse_object_id(&input.user_id, "userId")?;
    let id = administration::delete(ctx.app()?, requester, id).await?;
    Ok(DeleteUserPayload { deleted_user_id: Some(id.to_string().into()), errors: Vec::new() })
}
