//! Roles: listed, made, changed, given to users.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::administration::UserPayload;
use super::context::ContextExt;
use super::error::{AccountError, Payload, Result, into_payload};
use super::guard::{Permission, guard};
use super::node::parse_object_id;
use crate::account::access::role as roles;
use crate::account::access::role_administration::SaveRole;
use crate::account::access::rule;
use crate::account::user::id::RoleId;
use crate::account::user::name::Name;

/// Least bytes of a field in a response: `"a":1,`.
const MIN_FIELD_BYTES: usize = 6;

/// A role and what it allows.
pub struct Role(pub(super) roles::Role);

/// A named set of permissions.
#[Object]
impl Role {
    /// The id.
    pub(super) async fn id(&self) -> ID {
        RoleId::from(self.0.row.uid).to_string().into()
    }

    /// The name; unique in every spelling.
    async fn name(&self, ctx: &Context<'_>) -> Result<&str> {
        ctx.reserve_bytes(self.0.row.name.len())?;
        Ok(&self.0.row.name)
    }

    /// What it is for.
    async fn description(&self, ctx: &Context<'_>) -> Result<Option<&str>> {
        ctx.reserve_bytes(self.0.row.description.as_ref().map_or(0, String::len))?;
        Ok(self.0.row.description.as_deref())
    }

    /// What it allows.
    async fn permissions(&self) -> Vec<Permission> {
        self.0.permissions.iter().copied().map(Permission::from).collect()
    }

    /// Whether it came with the server, holds every permission and does not change.
    async fn built_in(&self) -> bool {
        self.0.row.built_in
    }

    /// How many of the users whom the viewer may see hold it.
    #[graphql(directive = guard::apply(rule::READ_ROLES))]
    async fn user_count(&self, ctx: &Context<'_>) -> Result<u64> {
        Ok(roles::count_holders(ctx.app()?, ctx.requester()?, &self.0).await?)
    }
}

/// The role to make or to change.
#[derive(InputObject)]
pub struct SaveRoleInput {
    /// Which role to change, and to rename if the name is another one; left out: the role that has the name is changed,
    /// otherwise one is made.
    role_id: Option<ID>,
    /// Its name, unique in every spelling.
    name: String,
    /// What it is for; left out or null clears it.
    description: Option<String>,
    /// What it allows, exactly; nobody can give what they do not hold.
    permissions: Vec<Permission>,
}

/// The role that was saved.
#[derive(SimpleObject, Default)]
pub struct RolePayload {
    /// The role as it is now.
    role: Option<Role>,
    /// What the person can fix.
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
    /// Which role.
    role_id: ID,
}

/// What was deleted.
#[derive(SimpleObject, Default)]
pub struct DeleteRolePayload {
    /// The id that is no more.
    deleted_role_id: Option<ID>,
    /// What the person can fix.
    errors: Vec<AccountError>,
}

impl Payload for DeleteRolePayload {
    fn from_errors(errors: Vec<AccountError>) -> Self {
        Self { errors, ..Self::default() }
    }
}

/// The roles that a user gets.
#[derive(InputObject)]
pub struct SetUserRolesInput {
    /// Which user.
    user_id: ID,
    /// The names of the roles, exactly: others are taken away.
    roles: Vec<String>,
}

/// Queries for roles.
#[derive(Default)]
pub struct RoleQuery;

#[Object]
impl RoleQuery {
    /// Every role, by name.
    #[graphql(directive = guard::apply(rule::READ_ROLES))]
    async fn roles(&self, ctx: &Context<'_>) -> Result<Vec<Role>> {
        let found = roles::list(ctx.app()?, ctx.requester()?).await?;
        // No argument bounds the list, so each field of each role takes its bytes before any of them is resolved.
        ctx.reserve_bytes(found.len().saturating_mul(ctx.field().selection_set().count() * MIN_FIELD_BYTES))?;
        Ok(found.into_iter().map(Role).collect())
    }
}

/// Mutations of roles.
#[derive(Default)]
pub struct RoleMutation;

#[Object]
impl RoleMutation {
    /// Makes, changes or renames a role, for all tenants; its holders have the permissions from their next request on.
    #[graphql(directive = guard::apply(rule::WRITE_ROLES))]
    async fn save_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The role.")] input: SaveRoleInput,
    ) -> Result<RolePayload> {
        into_payload(ctx, save(ctx, input).await)
    }

    /// Deletes a role, for all tenants; its holders lose it from their next request on. `Role.userCount` tells how many
    /// there are.
    #[graphql(directive = guard::apply(rule::WRITE_ROLES))]
    async fn delete_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which role.")] input: DeleteRoleInput,
    ) -> Result<DeleteRolePayload> {
        into_payload(ctx, delete(ctx, &input).await)
    }

    /// Gives a user exactly these roles; it counts from the user's next request on.
    #[graphql(directive = guard::apply(rule::ASSIGN_ROLES))]
    async fn set_user_roles(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which user and which roles.")] input: SetUserRolesInput,
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
        permissions: input.permissions.into_iter().map(rule::Permission::from).collect(),
    };
    let role = crate::account::access::role_administration::save(ctx.app()?, requester, role).await?;
    Ok(RolePayload { role: Some(Role(role)), errors: Vec::new() })
}

async fn delete(ctx: &Context<'_>, input: &DeleteRoleInput) -> crate::error::Result<DeleteRolePayload> {
    let requester = ctx.requester()?;
    requester.authorize(rule::WRITE_ROLES)?;
    let id = crate::account::access::role_administration::delete(
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
