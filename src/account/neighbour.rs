//! Users of one's own tenant by number and by count of rows, as older services are asked for them.

use entity::user;

use super::access;
use super::requester::Requester;
use super::user::prepared;
use crate::app::App;
use crate::error::Result;
use crate::store::Scope;
use crate::store::users::{self, Filter};

/// Where a user is, as seen from the caller.
#[derive(Debug)]
pub enum Sighting {
    /// In the caller's own tenant.
    Near(Box<user::Model>),
    /// In another one that the caller may see.
    Elsewhere,
    /// Nowhere, as far as the caller may know.
    Nobody,
}

/// Looks for the user with this number.
///
/// # Errors
/// Refuses callers without the permission.
pub async fn sight(app: &App, requester: &Requester, number: i64) -> Result<Sighting> {
    let caller = requester.permit(access::READ_USERS)?;
    let found = users::find_by_number(app.db.reader(), caller.scope(access::READ_USERS), number).await?;
    Ok(match found {
        Some(user) if user.tenant_id == caller.user.tenant_id => Sighting::Near(Box::new(user)),
        Some(_) => Sighting::Elsewhere,
        None => Sighting::Nobody,
    })
}

/// The users of the caller's own tenant that pass the filter, the eldest first and behind the first `offset`; and
/// whether there are more than `limit`.
///
/// # Errors
/// Refuses callers without the permission; [`crate::error::Error::BadUserInput`] for a text that is too long.
pub async fn list(
    app: &App,
    requester: &Requester,
    filter: &Filter,
    offset: u64,
    limit: u64,
) -> Result<(Vec<user::Model>, bool)> {
    let caller = requester.permit(access::READ_USERS)?;
    let scope = Scope::Tenant(caller.user.tenant_id);
    let mut rows = users::list_by_offset(app.db.reader(), scope, &prepared(filter)?, offset, limit + 1).await?;
    let size = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_next = rows.len() > size;
    rows.truncate(size);
    Ok((rows, has_next))
}
