//! What a resolver is given: the service, and who asks.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::parser::types::OperationType;
use async_graphql::{Context, Request};
use entity::tenant::Model as Tenant;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::limits::response::ResponseBudget;
use crate::account::access::rule::Access;
use crate::account::access::{role, tenant};
use crate::account::caller::requester::{Identity, Requester};
use crate::app::App;
use crate::error::{Error, Result};

/// Lists that one request reads at a time. The library resolves all items of a list at once: without a limit one request
/// for a hundred lists would stand a hundred times in the queue for a connection to the database.
const MAX_CONCURRENT_LISTS: usize = 2;

/// What a request carries. The loaders are made when the first resolver needs one.
struct RequestData {
    app: App,
    requester: Arc<Requester>,
    access_loader: OnceLock<DataLoader<AccessLoader>>,
    tenant_loader: OnceLock<DataLoader<TenantLoader>>,
    list_permits: Semaphore,
}

/// Adds to `request` what resolvers need: the service, who asks, and loaders for this request alone.
pub(crate) fn with_request_data(request: Request, app: &App, requester: Requester) -> Request {
    request.data(RequestData {
        app: app.clone(),
        requester: Arc::new(requester),
        access_loader: OnceLock::new(),
        tenant_loader: OnceLock::new(),
        list_permits: Semaphore::new(MAX_CONCURRENT_LISTS),
    })
}

/// Shorthands for what [`data`] has added.
pub(crate) trait ContextExt {
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
    fn reserve_bytes(&self, bytes: usize) -> Result<()>;
    /// Waits until this request may read a list within a list; it may while the turn is kept.
    async fn list_permit(&self) -> Result<SemaphorePermit<'_>>;
}

impl ContextExt for Context<'_> {
    fn app(&self) -> Result<&App> {
        Ok(&request_data(self)?.app)
    }

    fn requester(&self) -> Result<&Arc<Requester>> {
        Ok(&request_data(self)?.requester)
    }

    async fn access_of(&self, user_id: i64) -> Result<Cow<'_, Access>> {
        let RequestData { app, requester, access_loader: accesses, .. } = request_data(self)?;
        // A mutation may have changed the roles since, and a subscription outlives what was read at its start.
        if self.query_env.operation.node.ty == OperationType::Query
            && let Some(access) = caller_access(requester, user_id)
        {
            return Ok(Cow::Borrowed(access));
        }
        let loader = accesses.get_or_init(|| DataLoader::new(AccessLoader(app.clone()), tokio::spawn));
        let found = loader.load_one(user_id).await.map_err(|cause| clone_error(&cause))?;
        Ok(Cow::Owned(found.unwrap_or_default()))
    }

    async fn tenant(&self, tenant_id: i64) -> Result<Tenant> {
        let RequestData { app, tenant_loader: tenants, .. } = request_data(self)?;
        let loader = tenants.get_or_init(|| DataLoader::new(TenantLoader(app.clone()), tokio::spawn));
        let found = loader.load_one(tenant_id).await.map_err(|cause| clone_error(&cause))?;
        found.ok_or_else(|| Error::internal("a user is of a tenant that is not there"))
    }

    fn reserve_bytes(&self, bytes: usize) -> Result<()> {
        self.data_opt::<ResponseBudget>().map_or(Ok(()), |bounds| bounds.reserve_bytes(bytes))
    }

    async fn list_permit(&self) -> Result<SemaphorePermit<'_>> {
        request_data(self)?.list_permits.acquire().await.map_err(Error::internal)
    }
}

/// What the caller may do, if it is the user with this row id. An API token narrows what its owner may, so a caller with
/// one does not know it.
fn caller_access(requester: &Requester, user_id: i64) -> Option<&Access> {
    match &requester.identity {
        Identity::Authenticated(caller) if caller.user.id == user_id && caller.session().is_some() => {
            Some(&caller.access)
        }
        _ => None,
    }
}

fn request_data<'a>(ctx: &'a Context<'_>) -> Result<&'a RequestData> {
    ctx.data::<RequestData>().map_err(|_| Error::internal("the GraphQL request does not say who asks"))
}

/// What all who waited for one look-up are told.
pub(crate) fn clone_error(cause: &Error) -> Error {
    match cause {
        Error::ServerBusy { retry_after } => Error::ServerBusy { retry_after: *retry_after },
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
