//! Authorization rules: the table that use cases enforce and the schema prints.

use super::permission::Permission;

/// An authorization rule: holders of any one of the permissions pass (any caller, if the list is empty), optionally the
/// owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Any one of these suffices.
    pub any_of: &'static [Permission],
    /// Whether the owner of the object passes without a permission.
    pub is_open_to_owner: bool,
    /// Whether API tokens are rejected: only sessions pass.
    pub is_session_only: bool,
    /// Whether callers pass who must change their password first: the change itself does not ask for itself.
    pub is_open_before_password_change: bool,
    /// Holders of this permission pass for objects of all tenants, others for those of their own.
    pub cross_tenant: Permission,
}

const fn any_caller() -> Rule {
    Rule {
        any_of: &[],
        is_open_to_owner: false,
        is_session_only: false,
        is_open_before_password_change: false,
        cross_tenant: Permission::TenantsWrite,
    }
}

const fn session_only() -> Rule {
    Rule { is_session_only: true, ..any_caller() }
}

const fn holders(any_of: &'static [Permission]) -> Rule {
    Rule { any_of, ..any_caller() }
}

const fn holders_or_owner(any_of: &'static [Permission]) -> Rule {
    Rule { is_open_to_owner: true, ..holders(any_of) }
}

const fn readers(any_of: &'static [Permission]) -> Rule {
    Rule { cross_tenant: Permission::TenantsRead, ..holders(any_of) }
}

const fn readers_or_owner(any_of: &'static [Permission]) -> Rule {
    Rule { is_open_to_owner: true, ..readers(any_of) }
}

/// Query `users` and `user`.
pub const READ_USERS: Rule = readers(&[Permission::UsersRead]);
/// Fields that only the user and administrators see.
pub const READ_USER_DETAILS: Rule = readers_or_owner(&[Permission::UsersRead]);
/// `User.sessions`.
pub const READ_SESSIONS: Rule = readers_or_owner(&[Permission::SessionsRead]);
/// Query `roles`.
pub const READ_ROLES: Rule = readers(&[Permission::RolesRead]);
/// Query `node`: it returns only what the caller can read by other queries.
pub const READ_NODE: Rule = any_caller();
/// Mutation `updateProfile`.
pub const UPDATE_PROFILE: Rule = session_only();
/// Subscription `accountEvents`: an API token has no session of its own, and its owner's sessions do not concern it.
pub const ACCOUNT_EVENTS: Rule = session_only();
/// Dialect corvus, `POST /bump`: records activity without a login.
pub const RECORD_ACTIVITY: Rule = any_caller();
/// Mutation `updatePassword`; open to callers that must change their password.
pub const UPDATE_PASSWORD: Rule = Rule { is_open_before_password_change: true, ..session_only() };
/// The logout of an API token, which revokes itself; open to callers that must change their password.
pub const REVOKE_PRESENTED_API_TOKEN: Rule = Rule { is_open_before_password_change: true, ..any_caller() };
/// `User.apiTokens`.
pub const READ_API_TOKENS: Rule = readers_or_owner(&[Permission::UsersRead]);
/// Mutation `createApiToken`: a token that created another one would outlive its own revocation.
pub const CREATE_API_TOKEN: Rule = session_only();
/// Mutations `updateApiToken` and `revokeApiToken`: own tokens in a session, others' with the permission;
/// `caller::user_action` checks the owner.
pub const MANAGE_API_TOKENS: Rule = holders_or_owner(&[Permission::SessionsRevoke]);
/// Mutation `revokeSession`: own sessions in a session, others' with the permission; `caller::user_action` checks it.
pub const REVOKE_SESSION: Rule = holders_or_owner(&[Permission::SessionsRevoke]);
/// Mutations `createUser`, `updateUser`, `setUserStatus`, `setUserPassword`.
pub const WRITE_USERS: Rule = holders(&[Permission::UsersWrite]);
/// Mutation `deleteUser`.
pub const DELETE_USERS: Rule = holders(&[Permission::UsersDelete]);
/// Dialect tecladocode, `DELETE /user/{id}`: deletes the caller's own user.
pub const DELETE_OWN_USER: Rule = session_only();
/// Mutation `setUserRoles`.
pub const ASSIGN_ROLES: Rule = holders(&[Permission::RolesAssign]);
/// Query `tenants`.
pub const READ_TENANTS: Rule = readers(&[Permission::TenantsRead]);
/// Mutation `saveTenant`.
pub const WRITE_TENANTS: Rule = holders(&[Permission::TenantsWrite]);
/// Mutation `saveRole`: the installation's roles.
pub const WRITE_ROLES: Rule = holders(&[Permission::RolesWrite]);
