//! Request data for resolvers: the application, the requester, data loaders and list permits.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::parser::types::OperationType;
use async_graphql::{Context, Request};
use entity::tenant::Model as Tenant;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::limits::response::ResponseBudget;
use super::response_cookies::ResponseCookies;
use crate::account::access::grants::{self, Access};
use crate::account::administration::tenant;
use crate::account::caller::requester::{Identity, Requester};
use crate::app::App;
use crate::error::{Error, Result};

/// Nested lists that one request reads concurrently. async-graphql resolves all items of a list at once: without a
/// limit, one request for 100 lists would take 100 places in the queue of the connection pool.
const MAX_CONCURRENT_LISTS: usize = 2;

/// Data of one request. Loaders are created on first use.
struct RequestData {
    app: App,
    requester: Arc<Requester>,
    access_loader: OnceLock<DataLoader<AccessLoader>>,
    tenant_loader: OnceLock<DataLoader<TenantLoader>>,
    list_permits: Semaphore,
}

/// Adds the application, the requester and request-scoped data loaders to `request`.
pub(crate) fn with_request_data(request: Request, app: &App, requester: Requester) -> Request {
    request.data(RequestData {
        app: app.clone(),
        requester: Arc::new(requester),
        access_loader: OnceLock::new(),
        tenant_loader: OnceLock::new(),
        list_permits: Semaphore::new(MAX_CONCURRENT_LISTS),
    })
}

/// Accessors of the data that [`with_request_data`] adds.
pub(crate) trait ContextExt {
    /// The application.
    fn app(&self) -> Result<&App>;
    /// The requester of this request.
    fn requester(&self) -> Result<&Arc<Requester>>;
    /// The roles and permissions of a user. For a caller in a session they are those of its authentication; for other
    /// users one statement reads them for a whole list.
    async fn access_of(&self, user_id: i64) -> Result<Cow<'_, Access>>;
    /// The tenant with this row id; one statement reads the tenants of a whole list.
    async fn tenant(&self, tenant_id: i64) -> Result<Tenant>;
    /// The cookies of the response. Only operations of an executor that the GraphQL endpoint runs have them.
    fn response_cookies(&self) -> Result<&ResponseCookies>;
    /// Reserves `bytes` of the response limit.
    fn reserve_bytes(&self, bytes: usize) -> Result<()>;
    /// Waits for a permit to read a nested list; the permit is released on drop.
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
        // A mutation may have changed the roles since authentication, and a subscription outlives it.
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
        found.ok_or_else(|| Error::internal("a user's tenant does not exist"))
    }

    fn response_cookies(&self) -> Result<&ResponseCookies> {
        self.data::<ResponseCookies>().map_err(|_| Error::internal("the GraphQL request has no response cookies"))
    }

    fn reserve_bytes(&self, bytes: usize) -> Result<()> {
        self.data_opt::<ResponseBudget>().map_or(Ok(()), |bounds| bounds.reserve_bytes(bytes))
    }

    async fn list_permit(&self) -> Result<SemaphorePermit<'_>> {
        request_data(self)?.list_permits.acquire().await.map_err(Error::internal)
    }
}

/// The caller's own access, if the caller is the user with this row id. An API token narrows its owner's access, so
/// callers with an API token do not hold the full one.
fn caller_access(requester: &Requester, user_id: i64) -> Option<&Access> {
    match &requester.identity {
        Identity::Authenticated(caller) if caller.user.id == user_id && caller.session().is_some() => {
            Some(&caller.access)
        }
        _ => None,
    }
}

fn request_data<'a>(ctx: &'a Context<'_>) -> Result<&'a RequestData> {
    ctx.data::<RequestData>().map_err(|_| Error::internal("the GraphQL request has no request data"))
}

/// A copy of `cause` for each waiter of one load.
pub(crate) fn clone_error(cause: &Error) -> Error {
    match cause {
        Error::ServerBusy { retry_after } => Error::ServerBusy { retry_after: *retry_after },
        Error::StorageUnavailable(cause) => Error::StorageUnavailable(anyhow::anyhow!("{cause:#}")),
        _ => Error::internal(cause.to_string()),
    }
}

/// Loads the roles and permissions of many users with one statement.
struct AccessLoader(App);

impl Loader<i64> for AccessLoader {
    type Value = Access;
    type Error = Arc<Error>;

    async fn load(&self, user_ids: &[i64]) -> std::result::Result<HashMap<i64, Access>, Arc<Error>> {
        let found: BTreeMap<i64, Access> = grants::load_access(&self.0, user_ids.to_vec()).await.map_err(Arc::new)?;
        Ok(found.into_iter().collect())
    }
}

/// Loads the tenants of many users with one statement.
struct TenantLoader(App);

impl Loader<i64> for TenantLoader {
    type Value = Tenant;
    type Error = Arc<Error>;

    async fn load(&self, tenant_ids: &[i64]) -> std::result::Result<HashMap<i64, Tenant>, Arc<Error>> {
        let found: BTreeMap<i64, Tenant> = tenant::load(&self.0, tenant_ids.to_vec()).await.map_err(Arc::new)?;
        Ok(found.into_iter().collect())
    }
}
