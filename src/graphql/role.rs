//! Roles: list, save, delete, and assign to users.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::administration::UserPayload;
use super::context::ContextExt;
use super::error::{AccountError, Payload, Result, into_payload};
use super::guard::{Permission, guard};
use super::object_id::parse_object_id;
use crate::account::access::{permission, role, rule};
use crate::account::administration::role as roles;
use crate::account::administration::role_administration::SaveRole;
use crate::account::names::id::RoleId;
use crate::account::names::name::Name;

/// Minimum bytes of a field in a response: `"a":1,`.
const MIN_FIELD_BYTES: usize = 6;

/// A role with its permissions.
pub struct Role(pub(super) role::Role);

/// A named set of permissions.
#[Object]
impl Role {
    /// The id of the role.
    pub(super) async fn id(&self) -> ID {
        RoleId::from(self.0.row.uid).to_string().into()
    }

    /// The name; unique without regard to letter case.
    async fn name(&self, ctx: &Context<'_>) -> Result<&str> {
        ctx.reserve_bytes(self.0.row.name.len())?;
        Ok(&self.0.row.name)
    }

    /// The purpose of the role.
    async fn description(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        ctx.reserve_bytes(self.0.row.description.as_ref().map_or(0, String::len))?;
        Ok(self.0.row.description.as_deref())
    }

    /// The permissions that the role grants.
    async fn permissions(&self) -> Vec<Permission> {
        self.0.permissions.iter().copied().map(Permission::from).collect()
    }

    /// Whether the role is built in; such a role grants every permission and cannot be changed.
    async fn built_in(&self) -> bool {
        self.0.row.built_in
    }

    /// The number of users with this role, among those the caller may read.
    #[graphql(directive = guard::apply(rule::READ_ROLES))]
    async fn user_count(&self, ctx: &Context<'_>) -> Result<u64> {
        Ok(roles::count_holders(ctx.app()?, ctx.requester()?, &self.0).await?)
    }
}

/// The role to create or to change.
#[derive(InputObject)]
pub struct SaveRoleInput {
    /// The role to change, and to rename if `name` differs. If omitted, the role with this name is changed, or created
    /// if there is none.
    role_id: Option<ID>,
    /// The name of the role, unique without regard to letter case: one line of at most 200 characters.
    name: String,
    /// The purpose of the role, at most 200 characters; omitted or null removes it.
    description: Option<String>,
    /// The complete set of permissions of the role; the caller must hold all of them.
    permissions: Vec<Permission>,
}

/// The result of saving a role.
#[derive(SimpleObject, Default)]
pub struct RolePayload {
    /// The role after the change.
    role: Option<Role>,
    /// Errors that the user can correct; empty on success.
    errors: Vec<AccountError>,
}

impl Payload for RolePayload {
    fn from_errors(errors: Vec<AccountError>) -> Self {
        Self { errors, ..Self::default() }
    }
}

/// The role to delete.
#[derive(InputObject)]
pub struct DeleteRoleInput {
    /// The id of the role.
    role_id: ID,
}

/// The result of deleting a role.
#[derive(SimpleObject, Default)]
pub struct DeleteRolePayload {
    /// The id of the deleted role.
    deleted_role_id: Option<ID>,
    /// Errors that the user can correct; empty on success.
    errors: Vec<AccountError>,
}

impl Payload for DeleteRolePayload {
    fn from_errors(errors: Vec<AccountError>) -> Self {
        Self { errors, ..Self::default() }
    }
}

/// The roles to assign to a user.
#[derive(InputObject)]
pub struct SetUserRolesInput {
    /// The id of the user.
    user_id: ID,
    /// The names of all roles of the user; other roles are removed.
    roles: Vec<String>,
}

/// Queries for roles.
#[derive(Default)]
pub struct RoleQuery;

#[Object]
impl RoleQuery {
    /// All roles, sorted by name.
    #[graphql(directive = guard::apply(rule::READ_ROLES))]
    async fn roles(&self, ctx: &Context<'_>) -> Result<Vec<Role>> {
        let found = roles::list(ctx.app()?, ctx.requester()?).await?;
        // No argument bounds the list, so the minimum bytes of all fields are reserved before any of them is resolved.
        ctx.reserve_bytes(found.len().saturating_mul(ctx.field().selection_set().count() * MIN_FIELD_BYTES))?;
        Ok(found.into_iter().map(Role).collect())
    }
}

/// Mutations of roles.
#[derive(Default)]
pub struct RoleMutation;

#[Object]
impl RoleMutation {
    /// Creates, changes or renames a role, for all tenants. Users with the role have its permissions from their next
    /// request on.
    #[graphql(directive = guard::apply(rule::WRITE_ROLES))]
    async fn save_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The role to save.")] input: SaveRoleInput,
    ) -> Result<RolePayload> {
        into_payload(ctx, save(ctx, input).await)
    }

    /// Deletes a role, for all tenants. Users with the role lose its permissions from their next request on;
    /// `Role.userCount` is their number.
    #[graphql(directive = guard::apply(rule::WRITE_ROLES))]
    async fn delete_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The role to delete.")] input: DeleteRoleInput,
    ) -> Result<DeleteRolePayload> {
        into_payload(ctx, delete(ctx, &input).await)
    }

    /// Replaces the roles of a user; the change takes effect with the user's next request. The caller must hold every
    /// permission of the user and of the roles.
    #[graphql(directive = guard::apply(rule::ASSIGN_ROLES))]
    async fn set_user_roles(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user and all roles of the user.")] input: SetUserRolesInput,
    ) -> Result<UserPayload> {
        into_payload(ctx, assign(ctx, input).await)
    }
}

async fn save(ctx: &Context<'_>, input: SaveRoleInput) -> crate::error::Result<RolePayload> {
    let requester = ctx.requester()?;
    requester.authorize(rule::WRITE_ROLES)?;
    let role = SaveRole {
        id: input.role_id.as_ref().map(|id| parse_object_id(id, "roleId")).transpose()?,
        name: Name::parse(&input.name).map_err(|refusal| refusal.for_field("name"))?,
        description: Name::parse_on("description", input.description.as_deref())?,
        permissions: input.permissions.into_iter().map(permission::Permission::from).collect(),
    };
    let role = crate::account::administration::role_administration::save(ctx.app()?, requester, role).await?;
    Ok(RolePayload { role: Some(Role(role)), errors: Vec::new() })
}

async fn delete(ctx: &Context<'_>, input: &DeleteRoleInput) -> crate::error::Result<DeleteRolePayload> {
    let requester = ctx.requester()?;
    requester.authorize(rule::WRITE_ROLES)?;
    let id = crate::account::administration::role_administration::delete(
        ctx.app()?,
        requester,
        parse_object_id(&input.role_id, "roleId")?,
    )
    .await?;
    Ok(DeleteRolePayload { deleted_role_id: Some(id.to_string().into()), errors: Vec::new() })
}

async fn assign(ctx: &Context<'_>, input: SetUserRolesInput) -> crate::error::Result<UserPayload> {
    let requester = ctx.requester()?;
    requester.authorize(rule::ASSIGN_ROLES)?;
    let id = parse_object_id(&input.user_id, "userId")?;
    let row = roles::assign(ctx.app()?, requester, id, input.roles).await?;
    Ok(UserPayload::new(row, requester))
}
