//! Effective access of users: the roles they hold and the combined permissions.

use std::collections::{BTreeMap, BTreeSet};

use super::permission::Permission;
use crate::account::names::canonical::canonical;
use crate::app::App;
use crate::error::Result;
use crate::store::Connection;
use crate::store::grants::{self, Grant};

/// Effective access of a user: current roles and their combined permissions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// The role names, sorted.
    pub roles: Vec<String>,
    /// The permissions of all roles.
    pub permissions: BTreeSet<Permission>,
}

impl Access {
    /// Whether the user has a role with this name; compares canonical names.
    pub fn has_role(&self, name: &str) -> bool {
        let key = canonical(name);
        self.roles.iter().any(|role| canonical(role) == key)
    }

    /// Whether the user has the permission with this name.
    pub fn has_permission(&self, name: &str) -> bool {
        Permission::from_name(name).is_some_and(|permission| self.permissions.contains(&permission))
    }

    /// The role to report to a legacy caller that expects one per user: the administrator role, or the first by name.
    pub fn primary_role(&self) -> Option<&str> {
        let admin = self.roles.iter().find(|role| *role == ADMIN);
        admin.or(self.roles.first()).map(String::as_str)
    }

    /// Whether this access includes all of `other`. Callers must not change users with more permissions: otherwise a
    /// support agent who resets passwords could become an administrator.
    pub fn covers(&self, other: &BTreeSet<Permission>) -> bool {
        self.permissions.is_superset(other)
    }
}

/// The built-in role with every permission; a migration creates it.
pub const ADMIN: &str = "admin";

/// The effective access of the user with this row id.
pub async fn access_of(db: &impl Connection, user_id: i64) -> Result<Access> {
    Ok(access_of_many(db, vec![user_id]).await?.remove(&user_id).unwrap_or_default())
}

/// The effective access of the users with these row ids; users without roles are absent.
pub async fn access_of_many(db: &impl Connection, user_ids: Vec<i64>) -> Result<BTreeMap<i64, Access>> {
    Ok(merge_grants(grants::list(db, user_ids).await?))
}

/// The effective access from these grants of one user.
pub(in crate::account) fn access_from_grants(grants: Vec<Grant>) -> Access {
    merge_grants(grants).into_values().next().unwrap_or_default()
}

/// The effective access of each user.
fn merge_grants(grants: Vec<Grant>) -> BTreeMap<i64, Access> {
    let mut accesses: BTreeMap<i64, (BTreeSet<String>, BTreeSet<Permission>)> = BTreeMap::new();
    for grant in grants {
        let (names, permissions) = accesses.entry(grant.user_id).or_default();
        names.insert(grant.name);
        let all = if grant.built_in { Permission::ALL.as_slice() } else { &[] };
        let granted = all.iter().copied().chain(grant.permission.as_deref().and_then(Permission::from_name));
        permissions.extend(granted.filter(|permission| permission.is_effective_in(grant.tenant_id)));
    }
    let access =
        |(names, permissions): (BTreeSet<String>, _)| Access { roles: names.into_iter().collect(), permissions };
    accesses.into_iter().map(|(user_id, found)| (user_id, access(found))).collect()
}

/// As [`access_of_many`], on the connection for reads.
pub async fn load_access(app: &App, user_ids: Vec<i64>) -> Result<BTreeMap<i64, Access>> {
    access_of_many(app.db.reader(), user_ids).await
}
