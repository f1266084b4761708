//! Tenants: list, save, enable or disable, delete.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use entity::tenant;

use super::context::ContextExt;
use super::error::{AccountError, Payload, Result, into_payload};
use super::guard::guard;
use super::object_id::parse_object_id;
use super::page::{Connection, connection, weight};
use super::time::Time;
use crate::account::access::rule;
use crate::account::administration::tenant as tenants;
use crate::account::names::id::TenantId;
use crate::account::names::name::Name;
use crate::account::pagination::PageRequest;

/// A tenant row of the schema.
pub struct Tenant(pub(super) tenant::Model);

/// A customer of the application. Users of a tenant can read and administer only users of the same tenant.
#[Object]
impl Tenant {
    /// The id of the tenant.
    pub(super) async fn id(&self) -> ID {
        TenantId::from(self.0.uid).to_string().into()
    }

    /// The name of the tenant.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// When it was created.
    async fn created_at(&self) -> Time {
        self.0.created_at.into()
    }

    /// Whether its users can sign in.
    async fn status(&self) -> TenantStatus {
        self.0.status.into()
    }

    /// The number of its users.
    #[graphql(directive = guard::apply(rule::READ_USERS))]
    async fn user_count(&self, ctx: &Context<'_>) -> Result<u64> {
        Ok(tenants::count_users(ctx.app()?, ctx.requester()?, &self.0).await?)
    }
}

/// Whether the users of a tenant can sign in.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "tenant::Status")]
pub enum TenantStatus {
    /// Its users can sign in.
    Active,
    /// Its users can neither sign in nor use sessions or tokens.
    Disabled,
}

/// Additional fields of a tenant connection.
pub struct TenantConnectionFields;

#[Object]
impl TenantConnectionFields {
    /// The number of tenants; counted only if selected.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<u64> {
        Ok(tenants::count(ctx.app()?, ctx.requester()?).await?)
    }
}

/// The tenant to create or to rename.
#[derive(InputObject)]
pub struct SaveTenantInput {
    /// The tenant to rename; if omitted, a tenant is created.
    tenant_id: Option<ID>,
    /// The name of the tenant: one line of at most 200 characters.
    name: String,
}

/// The result of saving a tenant.
#[derive(SimpleObject, Default)]
pub struct TenantPayload {
    /// The tenant after the change.
    tenant: Option<Tenant>,
    /// Errors that the user can correct; empty on success.
    errors: Vec<AccountError>,
}

impl Payload for TenantPayload {
    fn from_errors(errors: Vec<AccountError>) -> Self {
        Self { errors, ..Self::default() }
    }
}

/// The new status of a tenant.
#[derive(InputObject)]
pub struct SetTenantStatusInput {
    /// The id of the tenant.
    tenant_id: ID,
    /// The new status.
    status: TenantStatus,
}

/// The tenant to delete.
#[derive(InputObject)]
pub struct DeleteTenantInput {
    /// The id of the tenant.
    tenant_id: ID,
}

/// The result of deleting a tenant.
#[derive(SimpleObject, Default)]
pub struct DeleteTenantPayload {
    /// The id of the deleted tenant.
    deleted_tenant_id: Option<ID>,
    /// Errors that the user can correct; empty on success.
    errors: Vec<AccountError>,
}

impl Payload for DeleteTenantPayload {
    fn from_errors(errors: Vec<AccountError>) -> Self {
        Self { errors, ..Self::default() }
    }
}

/// Queries for tenants.
#[derive(Default)]
pub struct TenantQuery;

#[Object]
impl TenantQuery {
    /// All tenants, page by page, in the order of their creation.
    #[graphql(directive = guard::apply(rule::READ_TENANTS), complexity = "weight(first.or(last), child_complexity)")]
    async fn tenants(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Page size from the start of the list: 1 to 100, 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Page size from the end of the list: 1 to 100; not together with first.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Tenant, TenantConnectionFields>> {
        let request = PageRequest { first, after, last, before };
        let slice = tenants::list(ctx.app()?, ctx.requester()?, request).await?;
        Ok(connection(slice, TenantConnectionFields, Tenant))
    }
}

/// Mutations of tenants.
#[derive(Default)]
pub struct TenantMutation;

#[Object]
impl TenantMutation {
    /// Creates or renames a tenant.
    #[graphql(directive = guard::apply(rule::WRITE_TENANTS))]
    async fn save_tenant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The tenant to save.")] input: SaveTenantInput,
    ) -> Result<TenantPayload> {
        into_payload(ctx, save(ctx, &input).await)
    }

    /// Enables or disables a tenant. Disabling ends all sessions of its users immediately; logins, refreshes and API
    /// tokens are refused until the tenant is enabled. The default tenant cannot be disabled.
    #[graphql(directive = guard::apply(rule::WRITE_TENANTS))]
    async fn set_tenant_status(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The tenant and the new status.")] input: SetTenantStatusInput,
    ) -> Result<TenantPayload> {
        into_payload(ctx, set_status(ctx, &input).await)
    }

    /// Deletes a tenant without users. The default tenant cannot be deleted.
    #[graphql(directive = guard::apply(rule::WRITE_TENANTS))]
    async fn delete_tenant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The tenant to delete.")] input: DeleteTenantInput,
    ) -> Result<DeleteTenantPayload> {
        into_payload(ctx, delete(ctx, &input).await)
    }
}

async fn set_status(ctx: &Context<'_>, input: &SetTenantStatusInput) -> crate::error::Result<TenantPayload> {
    let requester = ctx.requester()?;
    requester.authorize(rule::WRITE_TENANTS)?;
    let id = parse_object_id(&input.tenant_id, "tenantId")?;
    let row = tenants::set_status(ctx.app()?, requester, id, input.status.into()).await?;
    Ok(TenantPayload { tenant: Some(Tenant(row)), errors: Vec::new() })
}

async fn delete(ctx: &Context<'_>, input: &DeleteTenantInput) -> crate::error::Result<DeleteTenantPayload> {
    let requester = ctx.requester()?;
    requester.authorize(rule::WRITE_TENANTS)?;
    let id = tenants::delete(ctx.app()?, requester, parse_object_id(&input.tenant_id, "tenantId")?).await?;
    Ok(DeleteTenantPayload { deleted_tenant_id: Some(id.to_string().into()), errors: Vec::new() })
}

async fn save(ctx: &Context<'_>, input: &SaveTenantInput) -> crate::error::Result<TenantPayload> {
    let requester = ctx.requester()?;
    requester.authorize(rule::WRITE_TENANTS)?;
    let id = input.tenant_id.as_ref().map(|id| parse_object_id(id, "tenantId")).transpose()?;
    let name = Name::parse(&input.name).map_err(|refusal| refusal.for_field("name"))?;
    let row = tenants::save(ctx.app()?, requester, id, name).await?;
    Ok(TenantPayload { tenant: Some(Tenant(row)), errors: Vec::new() })
}
