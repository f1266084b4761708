//! Permissions that roles grant.

/// A permission that a role can grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// Read the users of the own tenant.
    UsersRead,
    /// Create and change users.
    UsersWrite,
    /// Delete users.
    UsersDelete,
    /// Read roles.
    RolesRead,
    /// Create and change roles, which all tenants share.
    RolesWrite,
    /// Assign and remove the roles of users.
    RolesAssign,
    /// Read other users' sessions.
    SessionsRead,
    /// End other users' sessions.
    SessionsRevoke,
    /// Read all tenants and, within the other permissions, their users.
    TenantsRead,
    /// Create and change tenants, and manage the users of all tenants within the other permissions.
    TenantsWrite,
}

impl Permission {
    /// All permissions: those of built-in roles.
    pub const ALL: [Self; 10] = [
        Self::UsersRead,
        Self::UsersWrite,
        Self::UsersDelete,
        Self::RolesRead,
        Self::RolesWrite,
        Self::RolesAssign,
        Self::SessionsRead,
        Self::SessionsRevoke,
        Self::TenantsRead,
        Self::TenantsWrite,
    ];

    /// The name in the database and in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::UsersRead => "USERS_READ",
            Self::UsersWrite => "USERS_WRITE",
            Self::UsersDelete => "USERS_DELETE",
            Self::RolesRead => "ROLES_READ",
            Self::RolesWrite => "ROLES_WRITE",
            Self::RolesAssign => "ROLES_ASSIGN",
            Self::SessionsRead => "SESSIONS_READ",
            Self::SessionsRevoke => "SESSIONS_REVOKE",
            Self::TenantsRead => "TENANTS_READ",
            Self::TenantsWrite => "TENANTS_WRITE",
        }
    }

    /// The permission with this name. Names of a later version are unknown and grant nothing.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.name() == name)
    }

    /// Whether the permission takes effect for users of the tenant with this row id. All tenants share the roles, but
    /// permissions on the whole installation take effect in the default tenant only.
    pub fn is_effective_in(self, tenant_id: i64) -> bool {
        match self {
            Self::RolesWrite | Self::TenantsRead | Self::TenantsWrite => tenant_id == DEFAULT_TENANT,
            Self::UsersRead
            | Self::UsersWrite
            | Self::UsersDelete
            | Self::RolesRead
            | Self::RolesAssign
            | Self::SessionsRead
            | Self::SessionsRevoke => true,
        }
    }
}

/// Row id of the default tenant, which owns the installation; a migration creates it.
pub const DEFAULT_TENANT: i64 = 1;
