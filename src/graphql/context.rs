//! What a resolver is given: the service, and who asks.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::{Context, Request};
use entity::tenant::Model as Tenant;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::account::access::Access;
use crate::account::requester::Requester;
use crate::account::{role, tenant};
use crate::app::App;
use crate::error::{Error, Result};

/// Lists that one request reads at a time. The library resolves all items of a list at once: without a limit one request
/// for a hundred lists would stand a hundred times in the queue for a connection to the database.
const LISTS_AT_ONCE: usize = 2;

struct Turns(Semaphore);

/// Adds to `request` what resolvers need: the service, who asks, and loaders for this request alone.
pub(super) fn data(request: Request, app: &App, requester: Requester) -> Request {
    let accesses = DataLoader::new(AccessLoader(app.clone()), tokio::spawn);
    let tenants = DataLoader::new(TenantLoader(app.clone()), tokio::spawn);
    let turns = Turns(Semaphore::new(LISTS_AT_ONCE));
    request.data(app.clone()).data(Arc::new(requester)).data(accesses).data(tenants).data(turns)
}

/// Shorthands for what [`data`] has added.
pub(super) trait Given {
    /// The service.
    fn app(&self) -> Result<&App>;
    /// Who asks.
    fn requester(&self) -> Result<&Arc<Requester>>;
    /// What a user may do, looked up for all users of a list at once.
    async fn access_of(&self, user_id: i64) -> Result<Access>;
    /// The tenant with this number, looked up for all users of a list at once.
    async fn tenant(&self, tenant_id: i64) -> Result<Tenant>;
    /// Waits until this request may read a list within a list; it may while the turn is kept.
    async fn turn(&self) -> Result<SemaphorePermit<'_>>;
}

impl Given for Context<'_> {
    fn app(&self) -> Result<&App> {
        self.data::<App>().map_err(|_| missing("service"))
    }

    fn requester(&self) -> Result<&Arc<Requester>> {
        self.data::<Arc<Requester>>().map_err(|_| missing("requester"))
    }

    async fn access_of(&self, user_id: i64) -> Result<Access> {
        let loader = self.data::<DataLoader<AccessLoader>>().map_err(|_| missing("loader"))?;
        loader.load_one(user_id).await.map(Option::unwrap_or_default).map_err(|cause| own(&cause))
    }

    async fn tenant(&self, tenant_id: i64) -> Result<Tenant> {
        let loader = self.data::<DataLoader<TenantLoader>>().map_err(|_| missing("loader"))?;
        let found = loader.load_one(tenant_id).await.map_err(|cause| own(&cause))?;
        found.ok_or_else(|| Error::internal("a user is of a tenant that is not there"))
    }

    async fn turn(&self) -> Result<SemaphorePermit<'_>> {
        let turns = self.data::<Turns>().map_err(|_| missing("turns"))?;
        turns.0.acquire().await.map_err(Error::internal)
    }
}

fn missing(what: &str) -> Error {
    Error::internal(format!("the GraphQL request carries no {what}"))
}

/// What all who waited for one look-up are told.
pub(super) fn own(cause: &Error) -> Error {
    match cause {
        Error::Busy { retry_after } => Error::Busy { retry_after: *retry_after },
        Error::StorageUnavailable(cause) => Error::StorageUnavailable(anyhow::anyhow!("{cause:#}")),
        _ => Error::internal(cause.to_string()),
    }
}

/// Looks up the roles and permissions of many users with one statement.
struct AccessLoader(App);

impl Loader<i64> for AccessLoader {
    type Value = Access;
    type Error = Arc<Error>;

    async fn load(&self, user_ids: &[i64]) -> std::result::Result<HashMap<i64, Access>, Arc<Error>> {
        let found: BTreeMap<i64, Access> = role::load_access(&self.0, user_ids.to_vec()).await.map_err(Arc::new)?;
        Ok(found.into_iter().collect())
    }
}

/// Looks up the tenants of many users with one statement.
struct TenantLoader(App);

impl Loader<i64> for TenantLoader {
    type Value = Tenant;
    type Error = Arc<Error>;

    async fn load(&self, tenant_ids: &[i64]) -> std::result::Result<HashMap<i64, Tenant>, Arc<Error>> {
        let found: BTreeMap<i64, Tenant> = tenant::load(&self.0, tenant_ids.to_vec()).await.map_err(Arc::new)?;
        Ok(found.into_iter().collect())
    }
}
