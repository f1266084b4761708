//! Users of the caller's own tenant by row id and by row offset.

use entity::user;

use super::query::normalized;
use crate::account::access::rule;
use crate::account::caller::requester::Requester;
use crate::app::App;
use crate::error::Result;
use crate::store::TenantScope;
use crate::store::users::{self, Filter};

/// The result of a lookup by row id.
#[derive(Debug)]
pub enum TenantLookup {
    /// In the caller's own tenant.
    Found(Box<user::Model>),
    /// In another tenant that the caller can read.
    OtherTenant,
    /// Not found, or not visible to the caller.
    NotFound,
}

/// Finds the user with this row id.
///
/// # Errors
/// Refuses callers without the permission.
pub async fn find_in_tenant(app: &App, requester: &Requester, row_id: i64) -> Result<TenantLookup> {
    let caller = requester.authorize(rule::READ_USERS)?;
    let found = users::find_by_id(app.db.reader(), caller.scope(rule::READ_USERS), row_id).await?;
    Ok(match found {
        Some(user) if user.tenant_id == caller.user.tenant_id => TenantLookup::Found(Box::new(user)),
        Some(_) => TenantLookup::OtherTenant,
        None => TenantLookup::NotFound,
    })
}

/// The users of the caller's own tenant that match the filter, oldest first, skipping the first `offset`; and whether
/// there are more than `limit`.
///
/// # Errors
/// Refuses callers without the permission; [`crate::error::Error::BadUserInput`] for a text that is too long.
pub async fn list_in_tenant(
    app: &App,
    requester: &Requester,
    filter: &Filter,
    offset: u64,
    limit: u64,
) -> Result<(Vec<user::Model>, bool)> {
    let caller = requester.authorize(rule::READ_USERS)?;
    let scope = TenantScope::Tenant(caller.user.tenant_id);
    let mut rows = users::list_by_offset(app.db.reader(), scope, &normalized(filter)?, offset, limit + 1).await?;
    let size = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_next = rows.len() > size;
    rows.truncate(size);
    Ok((rows, has_next))
}
