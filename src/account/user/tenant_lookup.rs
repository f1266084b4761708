//! Users of one's own tenant by number and by count of rows, as older services are asked for them.

use entity::user;

use super::query::normalized;
use crate::account::access::rule;
use crate::account::caller::requester::Requester;
use crate::app::App;
use crate::error::Result;
use crate::store::TenantScope;
use crate::store::users::{self, Filter};

/// Where a user is, as seen from the caller.
#[derive(Debug)]
pub enum TenantLookup {
    /// In the caller's own tenant.
    Found(Box<user::Model>),
    /// In another one that the caller may see.
    OtherTenant,
    /// Nowhere, as far as the caller may know.
    NotFound,
}

/// Looks for the user with this number.
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

/// The users of the caller's own tenant that pass the filter, the eldest first and behind the first `offset`; and
/// whether there are more than `limit`.
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
