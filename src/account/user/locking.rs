//! Reload, lock and conflict of users inside a transaction.

use entity::user;
use sea_orm::ConnectionTrait;

use crate::account::access::permission::DEFAULT_TENANT;
use crate::error::{Error, Refusal, RefusalCode, Result};
use crate::store::{TenantScope, TracksChanges, users};

/// Requires an active administrator in the default tenant; otherwise the transaction is rolled back. Administrators of
/// other tenants do not count: they do not administer the installation.
pub(in crate::account) async fn require_active_admin(db: &impl ConnectionTrait) -> Result<()> {
    if users::count_active_admins(db, TenantScope::Tenant(DEFAULT_TENANT)).await? > 0 {
        return Ok(());
    }
    Err(Refusal::new(RefusalCode::LastAdmin, "this is the last active administrator: create another one first").into())
}

/// The current row of `user`.
pub(in crate::account) async fn reload(db: &impl ConnectionTrait, user: &user::Model) -> Result<user::Model> {
    users::find_by_id(db, TenantScope::AllTenants, user.id).await?.ok_or_else(version_conflict)
}

/// The current row of `user`, locked until the transaction ends.
pub(in crate::account) async fn lock(tx: &impl TracksChanges, user: &user::Model) -> Result<user::Model> {
    users::lock(tx, TenantScope::AllTenants, user.uid).await?.ok_or_else(version_conflict)
}

/// The user was changed or deleted concurrently.
pub(in crate::account) fn version_conflict() -> Error {
    Refusal::new(RefusalCode::Conflict, "the account changed meanwhile: reload it and retry").into()
}
