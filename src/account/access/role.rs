//! A role with its permissions.

use std::collections::BTreeSet;

use entity::role;

use super::permission::Permission;
use crate::store::roles;

/// A role with its permissions.
#[derive(Debug, Clone)]
pub struct Role {
    /// The row.
    pub row: role::Model,
    /// Its permissions.
    pub permissions: BTreeSet<Permission>,
}

impl From<roles::RoleWithPermissions> for Role {
    fn from((row, permissions): roles::RoleWithPermissions) -> Self {
        let listed = permissions.iter().filter_map(|listed| Permission::from_name(&listed.permission));
        let permissions = if row.built_in { Permission::ALL.into() } else { listed.collect() };
        Self { row, permissions }
    }
}
