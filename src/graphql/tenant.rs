//! Tenants: listed, made and renamed by those who administer the installation.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use entity::tenant;

use super::context::Given;
use super::error::{AccountError, Payload, Result, settle};
use super::guard::guard;
use super::node::parse_id;
use super::page::{Connection, connection, weight};
use super::time::Time;
use crate::account::access;
use crate::account::id::TenantId;
use crate::account::name::Name;
use crate::account::page::PageRequest;
use crate::account::tenant as tenants;

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
    fn refused(errors: Vec<AccountError>) -> Self {
        Self { errors, ..Self::default() }
    }
}

/// Queries for tenants.
#[derive(Default)]
pub struct TenantQuery;

#[Object]
impl TenantQuery {
    /// Every tenant, page by page, in the order in which they were made.
    #[graphql(directive = guard::apply(access::READ_TENANTS), complexity = "weight(first.or(last), child_complexity)")]
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
    #[graphql(directive = guard::apply(access::WRITE_TENANTS))]
    async fn save_tenant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The tenant.")] input: SaveTenantInput,
    ) -> Result<TenantPayload> {
        settle(ctx, save(ctx, &input).await)
    }
}

async fn save(ctx: &Context<'_>, input: &SaveTenantInput) -> crate::error::Result<TenantPayload> {
    let requester = ctx.requester()?;
    requester.permit(access::WRITE_TENANTS)?;
    let id = input.tenant_id.as_ref().map(|id| parse_id(id, "tenantId")).transpose()?;
    let name = Name::parse(&input.name).map_err(|refusal| refusal.on("name"))?;
    let row = tenants::save(ctx.app()?, requester, id, name).await?;
    Ok(TenantPayload { tenant: Some(Tenant(row)), errors: Vec::new() })
}
