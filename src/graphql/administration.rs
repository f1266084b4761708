//! Administration of users: create, update, enable or disable, delete.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use entity::user;

use super::context::ContextExt;
use super::error::{AccountError, Payload, Result, into_payload};
use super::guard::guard;
use super::object_id::parse_object_id;
use super::user::{User, UserStatus};
use crate::account::access::rule;
use crate::account::administration::user_lifecycle;
use crate::account::caller::requester::Requester;
use crate::account::user::new_user::NewUser;
use crate::account::user::update::UpdateUser;

/// The user to create.
#[derive(InputObject)]
pub struct CreateUserInput {
    /// The username: 1 to 64 letters, digits, dots, dashes and underscores, beginning with a letter or a digit.
    username: String,
    /// The e-mail address, which can also be used to sign in.
    email: Option<String>,
    /// The initial password: 8 to 256 characters that are hard to guess; the setting `password.min_length` may require
    /// more.
    #[graphql(secret)]
    password: String,
    /// The display name: one line of at most 200 characters.
    display_name: Option<String>,
    /// The names of the roles to assign, which requires ROLES_ASSIGN.
    #[graphql(default)]
    roles: Vec<String>,
    /// Whether the user must set a new password at the first login.
    #[graphql(default)]
    must_change_password: bool,
    /// The user's tenant; the caller's own by default.
    tenant_id: Option<ID>,
}

/// The changes to a user; omitted fields are unchanged.
#[derive(InputObject)]
pub struct UpdateUserInput {
    /// The id of the user.
    user_id: ID,
    /// The new username.
    username: Option<String>,
    /// The new e-mail address; null removes it.
    email: MaybeUndefined<String>,
    /// The new display name; null removes it.
    display_name: MaybeUndefined<String>,
    /// Whether the user must set a new password before any other operation.
    must_change_password: Option<bool>,
}

/// The new status of a user.
#[derive(InputObject)]
pub struct SetUserStatusInput {
    /// The id of the user.
    user_id: ID,
    /// The new status.
    status: UserStatus,
}

/// The user to delete.
#[derive(InputObject)]
pub struct DeleteUserInput {
    /// The id of the user.
    user_id: ID,
}

/// The result of creating or changing a user.
#[derive(SimpleObject, Default)]
pub struct UserPayload {
    /// The user after the change.
    user: Option<User>,
    /// Errors that the user can correct; empty on success.
    errors: Vec<AccountError>,
}

impl UserPayload {
    /// The payload of a successful operation.
    pub(super) fn new(row: user::Model, requester: &Arc<Requester>) -> Self {
        Self { user: Some(User::new(row, Arc::clone(requester))), errors: Vec::new() }
    }
}

impl Payload for UserPayload {
    fn from_errors(errors: Vec<AccountError>) -> Self {
        Self { errors, ..Self::default() }
    }
}

/// The result of deleting a user.
#[derive(SimpleObject, Default)]
pub struct DeleteUserPayload {
    /// The id of the deleted user.
    deleted_user_id: Option<ID>,
    /// Errors that the user can correct; empty on success.
    errors: Vec<AccountError>,
}

impl Payload for DeleteUserPayload {
    fn from_errors(errors: Vec<AccountError>) -> Self {
        Self { errors, ..Self::default() }
    }
}

/// Mutations of users by administrators.
#[derive(Default)]
pub struct AdministrationMutation;

#[Object]
impl AdministrationMutation {
    /// Creates a user. The caller must hold every permission of the assigned roles.
    #[graphql(directive = guard::apply(rule::WRITE_USERS))]
    async fn create_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user to create.")] input: CreateUserInput,
    ) -> Result<UserPayload> {
        into_payload(ctx, create(ctx, input).await)
    }

    /// Changes the username, e-mail address or display name of a user, or `mustChangePassword`. The caller must hold
    /// every permission of the user.
    #[graphql(directive = guard::apply(rule::WRITE_USERS))]
    async fn update_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The changes.")] input: UpdateUserInput,
    ) -> Result<UserPayload> {
        into_payload(ctx, update(ctx, &input).await)
    }

    /// Enables or disables a user. Disabling ends all sessions of the user immediately and makes API tokens unusable.
    #[graphql(directive = guard::apply(rule::WRITE_USERS))]
    async fn set_user_status(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user and the new status.")] input: SetUserStatusInput,
    ) -> Result<UserPayload> {
        into_payload(ctx, set_status(ctx, &input).await)
    }

    /// Deletes a user with all sessions and API tokens. The username becomes available again; tokens of the deleted
    /// user are never valid for another user of that name.
    #[graphql(directive = guard::apply(rule::DELETE_USERS))]
    async fn delete_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user to delete.")] input: DeleteUserInput,
    ) -> Result<DeleteUserPayload> {
        into_payload(ctx, delete(ctx, &input).await)
    }
}

async fn create(ctx: &Context<'_>, input: CreateUserInput) -> crate::error::Result<UserPayload> {
    let requester = ctx.requester()?;
    // The permission comes first: without it, the caller learns nothing about the validity of the input.
    requester.authorize(rule::WRITE_USERS)?;
    let CreateUserInput { username, email, password, display_name, roles, must_change_password, tenant_id } = input;
    let tenant = tenant_id.map(|id| parse_object_id(&id, "tenantId")).transpose()?;
    let user = NewUser::parse(&username, email.as_deref(), display_name.as_deref(), password.into())?;
    let user = NewUser { must_change_password, ..user };
    let row = user_lifecycle::create_in_tenant(ctx.app()?, requester, user, roles, tenant).await?;
    Ok(UserPayload::new(row, requester))
}

async fn update(ctx: &Context<'_>, input: &UpdateUserInput) -> crate::error::Result<UserPayload> {
    let requester = ctx.requester()?;
    requester.authorize(rule::WRITE_USERS)?;
    let id = parse_object_id(&input.user_id, "userId")?;
    let changes =
        UpdateUser::parse(input.username.as_deref(), input.email.as_opt_deref(), input.display_name.as_opt_deref())?;
    let changes = UpdateUser { must_change_password: input.must_change_password, ..changes };
    let row = user_lifecycle::update(ctx.app()?, requester, id, changes).await?;
    Ok(UserPayload::new(row, requester))
}

async fn set_status(ctx: &Context<'_>, input: &SetUserStatusInput) -> crate::error::Result<UserPayload> {
    let requester = ctx.requester()?;
    requester.authorize(rule::WRITE_USERS)?;
    let id = parse_object_id(&input.user_id, "userId")?;
    let row = user_lifecycle::set_status(ctx.app()?, requester, id, input.status.into()).await?;
    Ok(UserPayload::new(row, requester))
}

async fn delete(ctx: &Context<'_>, input: &DeleteUserInput) -> crate::error::Result<DeleteUserPayload> {
    let requester = ctx.requester()?;
    requester.authorize(rule::DELETE_USERS)?;
    let id = parse_object_id(&input.user_id, "userId")?;
    let id = user_lifecycle::delete(ctx.app()?, requester, id).await?;
    Ok(DeleteUserPayload { deleted_user_id: Some(id.to_string().into()), errors: Vec::new() })
}
