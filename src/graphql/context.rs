//! What a resolver is given: the service, and who asks.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::parser::types::OperationType;
use async_graphql::{Context, Request};
use entity::tenant::Model as Tenant;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::response_limit::ResponseBounds;
use crate::account::access::Access;
use crate::account::requester::{Identity, Requester};
use crate::account::{role, tenant};
use crate::app::App;
use crate::error::{Error, Result};

/// Lists that one request reads at a time. The library resolves all items of a list at once: without a limit one request
/// for a hundred lists would stand a hundred times in the queue for a connection to the database.
const LISTS_AT_ONCE: usize = 2;

/// What a request carries. The loaders are made when the first resolver needs one.
struct Carried {
    app: App,
    requester: Arc<Requester>,
    accesses: OnceLock<DataLoader<AccessLoader>>,
    tenants: OnceLock<DataLoader<TenantLoader>>,
    turns: Semaphore,
}

/// Adds to `request` what resolvers need: the service, who asks, and loaders for this request alone.
pub(super) fn data(request: Request, app: &App, requester: Requester) -> Request {
    request.data(Carried {
        app: app.clone(),
        requester: Arc::new(requester),
        accesses: OnceLock::new(),
        tenants: OnceLock::new(),
        turns: Semaphore::new(LISTS_AT_ONCE),
    })
}

/// Shorthands for what [`data`] has added.
pub(super) trait Given {
    /// The service.
    fn app(&self) -> Result<&App>;
    /// Who asks.
    fn requester(&self) -> Result<&Arc<Requester>>;
    /// What a user may do: for a caller in a session as read when the caller was authenticated, for others read once
    /// for all users of a list.
    async fn access_of(&self, user_id: i64) -> Result<Cow<'_, Access>>;
    /// The tenant with this number, looked up for all users of a list at once.
    async fn tenant(&self, tenant_id: i64) -> Result<Tenant>;
    /// Takes `bytes` of the response that is being made.
    fn take_bytes(&self, bytes: usize) -> Result<()>;
    /// Waits until this request may read a list within a list; it may while the turn is kept.
    async fn turn(&self) -> Result<SemaphorePermit<'_>>;
}

impl Given for Context<'_> {
    fn app(&self) -> Result<&App> {
        Ok(&carried(self)?.app)
    }

    fn requester(&self) -> Result<&Arc<Requester>> {
        Ok(&carried(self)?.requester)
    }

    async fn access_of(&self, user_id: i64) -> Result<Cow<'_, Access>> {
        let Carried { app, requester, accesses, .. } = carried(self)?;
        // A mutation may have changed the roles since, and a subscription outlives what was read at its start.
        if self.query_env.operation.node.ty == OperationType::Query
            && let Some(access) = own_access(requester, user_id)
        {
            return Ok(Cow::Borrowed(access));
        }
        let loader = accesses.get_or_init(|| DataLoader::new(AccessLoader(app.clone()), tokio::spawn));
        let found = loader.load_one(user_id).await.map_err(|cause| own(&cause))?;
        Ok(Cow::Owned(found.unwrap_or_default()))
    }

    async fn tenant(&self, tenant_id: i64) -> Result<Tenant> {
        let Carried { app, tenants, .. } = carried(self)?;
        let loader = tenants.get_or_init(|| DataLoader::new(TenantLoader(app.clone()), tokio::spawn));
        let found = loader.load_one(tenant_id).await.map_err(|cause| own(&cause))?;
        found.ok_or_else(|| Error::internal("a user is of a tenant that is not there"))
    }

    fn take_bytes(&self, bytes: usize) -> Result<()> {
        self.data_opt::<ResponseBounds>().map_or(Ok(()), |bounds| bounds.take(bytes))
    }

    async fn turn(&self) -> Result<SemaphorePermit<'_>> {
        carried(self)?.turns.acquire().await.map_err(Error::internal)
    }
}

/// What the caller may do, if it is the user with this row id. An API token narrows what its owner may, so a caller with
/// one does not know it.
fn own_access(requester: &Requester, user_id: i64) -> Option<&Access> {
    match &requester.identity {
        Identity::SignedIn(caller) if caller.user.id == user_id && caller.session().is_some() => Some(&caller.access),
        _ => None,
    }
}

fn carried<'a>(ctx: &'a Context<'_>) -> Result<&'a Carried> {
    ctx.data::<Carried>().map_err(|_| Error::internal("the GraphQL request does not say who asks"))
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
