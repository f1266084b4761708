//! The list of users for callers of older services, which count rows, and one user by name.

use std::collections::{BTreeMap, BTreeSet};

use entity::user;

use super::canonical::canonical;
use super::identifier::Identifier;
use super::query::{Lookup, UserFilter, get, normalized};
use crate::account::access::role::{self, Role};
use crate::account::access::rule::{self, Access};
use crate::account::caller::requester::Requester;
use crate::app::App;
use crate::error::{Error, Result};
use crate::store::{roles, users};

/// Most rows that are given at a time. Older services gave all that there were.
pub const MAX_ROWS: u64 = 1_000;

/// Up to `limit` of the users whom the caller may see, and never more than [`MAX_ROWS`], oldest account first, without the
/// first `offset`.
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
    // Databases count rows with signed numbers.
    if limit == 0 || i64::try_from(offset).is_err() {
        return Ok(Vec::new());
    }
    let scope = caller.scope(rule::READ_USERS);
    users::list_by_offset(app.db.reader(), scope, &normalized(filter)?, offset, limit).await
}

/// The role to name of each of these users where an older service knows one; who holds none is missing. It is for those
/// who were found to see the users.
///
/// # Errors
/// Internal ones only.
pub async fn primary_roles(app: &App, user_ids: Vec<i64>) -> Result<BTreeMap<i64, Role>> {
    let db = app.db.reader();
    let accesses = role::access_of_many(db, user_ids).await?;
    let key = |access: &Access| access.primary_role().map(canonical);
    let keys: BTreeSet<String> = accesses.values().filter_map(key).collect();
    let found = roles::list_by_name(db, &keys.into_iter().collect::<Vec<_>>()).await?;
    let roles: BTreeMap<String, Role> =
        found.into_iter().map(Role::from).map(|role| (role.row.name_key.clone(), role)).collect();
    let of = |(user_id, access): (i64, Access)| Some((user_id, roles.get(&key(&access)?)?.clone()));
    Ok(accesses.into_iter().filter_map(of).collect())
}

/// The user with this name, in any spelling: oneself, or anybody the caller may see. Others read as missing.
///
/// # Errors
/// Refuses callers who are not signed in.
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
