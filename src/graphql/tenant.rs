//! Tenants: listed, made and renamed by those who administer the installation.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use entity::tenant;

use super::context::ContextExt;
use super::error::{AccountError, Payload, Result, into_payload};
use super::guard::guard;
use super::node::parse_object_id;
use super::page::{Connection, connection, weight};
use super::time::Time;
use crate::account::access::rule;
use crate::account::access::tenant as tenants;
use crate::account::pagination::PageRequest;
use crate::account::user::id::TenantId;
use crate::account::user::name::Name;

/// A tenant.
pub struct Tenant(pub(super) tenant::Model);

/// A customer of the application: its users see and administer only each other.
#[Object]
impl Tenant {
    /// The id.
    pub(super) async fn id(&self) -> ID {
        TenantId::from(self.0.uid).to_string().into()
    }

    /// The name to show.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// When it was made.
    async fn created_at(&self) -> Time {
        self.0.created_at.into()
    }

    /// Whether its users may sign in.
    async fn status(&self) -> TenantStatus {
        self.0.status.into()
    }

    /// How many users belong to it.
    #[graphql(directive = guard::apply(rule::READ_USERS))]
    async fn user_count(&self, ctx: &Context<'_>) -> Result<u64> {
        Ok(tenants::count_users(ctx.app()?, ctx.requester()?, &self.0).await?)
    }
}

/// Whether the users of a tenant may sign in.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "tenant::Status")]
pub enum TenantStatus {
    /// They may.
    Active,
    /// Nobody of them can do anything.
    Disabled,
}

/// What a list of tenants has beside its edges.
pub struct TenantConnectionFields;

#[Object]
impl TenantConnectionFields {
    /// How many tenants there are; counted only when it is asked for.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<u64> {
        Ok(tenants::count(ctx.app()?, ctx.requester()?).await?)
    }
}

/// The tenant to make or to rename.
#[derive(InputObject)]
pub struct SaveTenantInput {
    /// Which tenant to rename; left out: a new one is made.
    tenant_id: Option<ID>,
    /// Its name: one line of at most 200 characters.
    name: String,
}

/// The tenant that was saved.
#[derive(SimpleObject, Default)]
pub struct TenantPayload {
    /// The tenant as it is now.
    tenant: Option<Tenant>,
    /// What the person can fix.
    errors: Vec<AccountError>,
}

impl Payload for TenantPayload {
    fn from_errors(errors: Vec<AccountError>) -> Self {
        Self { errors, ..Self::default() }
    }
}

/// The status that a tenant gets.
#[derive(InputObject)]
pub struct SetTenantStatusInput {
    /// Which tenant.
    tenant_id: ID,
    /// The status.
    status: TenantStatus,
}

/// The tenant to delete.
#[derive(InputObject)]
pub struct DeleteTenantInput {
    /// Which tenant.
    tenant_id: ID,
}

/// What was deleted.
#[derive(SimpleObject, Default)]
pub struct DeleteTenantPayload {
    /// The id that is no more.
    deleted_tenant_id: Option<ID>,
    /// What the person can fix.
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
    /// Every tenant, page by page, in the order in which they were made.
    #[graphql(directive = guard::apply(rule::READ_TENANTS), complexity = "weight(first.or(last), child_complexity)")]
    async fn tenants(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front: 1 to 100, 20 if nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end: 1 to 100; not together with first.")] last: Option<i32>,
        #[graphql(desc = "Only those in front of this cursor.")] before: Option<String>,
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
    /// Makes a tenant or renames one.
    #[graphql(directive = guard::apply(rule::WRITE_TENANTS))]
    async fn save_tenant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The tenant.")] input: SaveTenantInput,
    ) -> Result<TenantPayload> {
        into_payload(ctx, save(ctx, &input).await)
    }

    /// Enables or disables a tenant. Disabling ends all sessions of its users at once; they can do nothing, by no login,
    /// token or refresh, until it is enabled. The first tenant is not disabled.
    #[graphql(directive = guard::apply(rule::WRITE_TENANTS))]
    async fn set_tenant_status(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which tenant and which status.")] input: SetTenantStatusInput,
    ) -> Result<TenantPayload> {
        into_payload(ctx, set_status(ctx, &input).await)
    }

    /// Deletes a tenant that has no users. The first tenant is not deleted.
    #[graphql(directive = guard::apply(rule::WRITE_TENANTS))]
    async fn delete_tenant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which tenant.")] input: DeleteTenantInput,
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
