//! Conditions on users inside a transaction: the lock of a row, and the last administrator.

use entity::user;

use crate::account::access::permission::DEFAULT_TENANT;
use crate::error::{Refusal, RefusalCode, Result};
use crate::store::{Connection, TenantScope, TracksChanges, users};

/// Requires an active administrator in the default tenant; otherwise the transaction is rolled back. Administrators of
/// other tenants do not count: they do not administer the installation.
pub(in crate::account) async fn require_active_admin(db: &impl Connection) -> Result<()> {
    if users::count_active_admins(db, TenantScope::Tenant(DEFAULT_TENANT)).await? > 0 {
        return Ok(());
    }
    Err(Refusal::new(RefusalCode::LastAdmin, "this is the last active administrator: create another one first").into())
}

/// The current row of `user`, locked until the transaction ends.
pub(in crate::account) async fn lock(tx: &impl TracksChanges, user: &user::Model) -> Result<user::Model> {
    users::lock(tx, TenantScope::AllTenants, user.uid).await?.ok_or_else(users::version_conflict)
}
