//! User lists by row offset and user lookup by name, for legacy clients.

use std::collections::{BTreeMap, BTreeSet};

use entity::user;

use super::query::{Lookup, UserFilter, get, normalized};
use crate::account::access::grants::{self, Access};
use crate::account::access::role::Role;
use crate::account::access::rule;
use crate::account::caller::requester::Requester;
use crate::account::names::canonical::canonical;
use crate::account::names::identifier::Identifier;
use crate::app::App;
use crate::error::{Error, Result};
use crate::store::{roles, users};

/// Maximum rows per request; legacy services returned all.
pub const MAX_ROWS: u64 = 1_000;

/// Up to `limit` users visible to the caller, at most [`MAX_ROWS`], oldest first, skipping the first `offset`.
///
/// # Errors
/// Refuses callers without the permission; [`Error::BadUserInput`] for a search text that is too long.
pub async fn list(
    app: &App,
    requester: &Requester,
    filter: &UserFilter,
    offset: u64,
    limit: u64,
) -> Result<Vec<user::Model>> {
    let caller = requester.authorize(rule::READ_USERS)?;
    let limit = limit.min(MAX_ROWS);
    // Databases count rows with signed integers.
    if limit == 0 || i64::try_from(offset).is_err() {
        return Ok(Vec::new());
    }
    let scope = caller.scope(rule::READ_USERS);
    users::list_by_offset(app.db.reader(), scope, &normalized(filter)?, offset, limit).await
}

/// The primary role of each user, for legacy clients that expect one; users without a role are absent. The caller must
/// have verified that these users are visible.
pub async fn primary_roles(app: &App, user_ids: Vec<i64>) -> Result<BTreeMap<i64, Role>> {
    let db = app.db.reader();
    let accesses = grants::access_of_many(db, user_ids).await?;
    let key = |access: &Access| access.primary_role().map(canonical);
    let keys: BTreeSet<String> = accesses.values().filter_map(key).collect();
    let found = roles::list_by_name(db, &keys.into_iter().collect::<Vec<_>>()).await?;
    let roles: BTreeMap<String, Role> =
        found.into_iter().map(Role::from).map(|role| (role.row.name_key.clone(), role)).collect();
    let of = |(user_id, access): (i64, Access)| Some((user_id, roles.get(&key(&access)?)?.clone()));
    Ok(accesses.into_iter().filter_map(of).collect())
}

/// The user with this name in any spelling: the caller, or a user visible to the caller. Others read as missing.
///
/// # Errors
/// Refuses unauthenticated callers.
pub async fn find(app: &App, requester: &Requester, name: &str) -> Result<Option<user::Model>> {
    let caller = requester.authorize(rule::READ_NODE)?;
    if Identifier::new(name).username_key() == caller.user.username_key {
        return Ok(Some(caller.user.clone()));
    }
    match get(app, requester, Lookup::Username(name.to_owned())).await {
        Err(Error::Forbidden) => Ok(None),
        found => found,
    }
}
