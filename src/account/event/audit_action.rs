//! The actions that audit events record.

/// What was done, or tried. `docs/audit.md` lists when each is recorded, with its details.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditAction {
    /// A user registered.
    Register,
    /// A login.
    Login,
    /// A caller reported activity: dialect corvus.
    LoginBump,
    /// Sessions or API tokens ended by a logout.
    Logout,
    /// A refresh repeated from another address or user agent.
    RefreshReplay,
    /// A used refresh token was sent again; the session ended.
    RefreshReuse,
    /// A session ended by id.
    SessionRevoke,
    /// All sessions ended from the command line.
    SessionsEndAll,
    /// A user's change of their own password.
    PasswordUpdate,
    /// A password set by an administrator.
    PasswordSet,
    /// Callers' own password set without the current one: dialect user-api.
    PasswordReset,
    /// A user's change of their own profile.
    ProfileUpdate,
    /// A user created by an administrator.
    UserCreate,
    /// Names, address or flags changed by an administrator.
    UserUpdate,
    /// A whole user replaced: dialect user-api.
    UserReplace,
    /// A user enabled or disabled.
    UserStatus,
    /// A user's roles set.
    UserRoles,
    /// A user deleted.
    UserDelete,
    /// A batch of users imported.
    UserImport,
    /// An administrator created from the command line.
    AdminCreate,
    /// An API token created.
    ApiTokenCreate,
    /// An API token changed.
    ApiTokenUpdate,
    /// An API token revoked.
    ApiTokenRevoke,
    /// A role created, changed or renamed.
    RoleSave,
    /// A role deleted.
    RoleDelete,
    /// A tenant created or renamed.
    TenantSave,
    /// A tenant enabled or disabled.
    TenantStatus,
    /// A tenant deleted.
    TenantDelete,
}

impl AuditAction {
    /// The name in the column `action`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Login => "login",
            Self::LoginBump => "login.bump",
            Self::Logout => "logout",
            Self::RefreshReplay => "refresh.replay",
            Self::RefreshReuse => "refresh.reuse",
            Self::SessionRevoke => "session.revoke",
            Self::SessionsEndAll => "sessions.endAll",
            Self::PasswordUpdate => "password.update",
            Self::PasswordSet => "password.set",
            Self::PasswordReset => "password.reset",
            Self::ProfileUpdate => "profile.update",
            Self::UserCreate => "user.create",
            Self::UserUpdate => "user.update",
            Self::UserReplace => "user.replace",
            Self::UserStatus => "user.status",
            Self::UserRoles => "user.roles",
            Self::UserDelete => "user.delete",
            Self::UserImport => "user.import",
            Self::AdminCreate => "admin.create",
            Self::ApiTokenCreate => "api_token.create",
            Self::ApiTokenUpdate => "api_token.update",
            Self::ApiTokenRevoke => "api_token.revoke",
            Self::RoleSave => "role.save",
            Self::RoleDelete => "role.delete",
            Self::TenantSave => "tenant.save",
            Self::TenantStatus => "tenant.status",
            Self::TenantDelete => "tenant.delete",
        }
    }
}
