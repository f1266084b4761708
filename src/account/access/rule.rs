//! Who may do what: the permissions and the table of rules that use cases enforce and the schema prints.

use std::collections::BTreeSet;

use entity::user;

use crate::error::{Error, Result, TokenError};
use crate::store::TenantScope;

use super::role::ADMIN;
use crate::account::caller::requester::{Caller, Identity, Requester};
use crate::account::user::canonical::canonical;
use crate::account::user::id::UserId;

/// What a role can allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// See every user of one's own tenant.
    UsersRead,
    /// Create and change users.
    UsersWrite,
    /// Delete users.
    UsersDelete,
    /// See the roles.
    RolesRead,
    /// Create and change roles, which all tenants share.
    RolesWrite,
    /// Give roles to users and take them away.
    RolesAssign,
    /// See the sessions of others.
    SessionsRead,
    /// End the sessions of others.
    SessionsRevoke,
    /// See every tenant and, as far as other permissions go, its users.
    TenantsRead,
    /// Create and change tenants, and administer the users of every tenant as far as other permissions go.
    TenantsWrite,
}

impl Permission {
    /// Every permission there is: what built-in roles hold.
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

    /// The name that is stored and shown.
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

    /// The permission with this name; names of a later version are unknown here and allow nothing.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.name() == name)
    }

    /// Whether it counts for users of the tenant with this number. Roles are the same for all tenants, but what is
    /// about the installation as a whole is for those to whom it belongs, whatever roles the others hold.
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

/// The number of the tenant to whom the installation itself belongs; a migration makes it.
pub const DEFAULT_TENANT: i64 = 1;

/// Who passes: holders of any one permission (everybody who is signed in, if none is named), and perhaps the owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Any one of these suffices.
    pub any_of: &'static [Permission],
    /// The owner of the object passes without them.
    pub is_open_to_owner: bool,
    /// API tokens do not pass: it is for the person, in a session.
    pub is_session_only: bool,
    /// Who holds this, too, passes to objects of every tenant, others to those of their own.
    pub cross_tenant: Permission,
}

const fn any_caller() -> Rule {
    Rule { any_of: &[], is_open_to_owner: false, is_session_only: false, cross_tenant: Permission::TenantsWrite }
}

const fn session_only() -> Rule {
    Rule { is_session_only: true, ..any_caller() }
}

const fn holders(any_of: &'static [Permission]) -> Rule {
    Rule { any_of, ..any_caller() }
}

const fn holders_or_owner(any: &'static [Permission]) -> Rule {
    Rule { is_open_to_owner: true, ..holders(any) }
}

const fn readers(any: &'static [Permission]) -> Rule {
    Rule { cross_tenant: Permission::TenantsRead, ..holders(any) }
}

const fn readers_or_owner(any: &'static [Permission]) -> Rule {
    Rule { is_open_to_owner: true, ..readers(any) }
}

/// Query `users` and `user`.
pub const READ_USERS: Rule = readers(&[Permission::UsersRead]);
/// What only the account itself and administrators see of a user.
pub const READ_USER_DETAILS: Rule = readers_or_owner(&[Permission::UsersRead]);
/// `User.sessions`.
pub const READ_SESSIONS: Rule = readers_or_owner(&[Permission::SessionsRead]);
/// Query `roles`.
pub const READ_ROLES: Rule = readers(&[Permission::RolesRead]);
/// Query `node`: what it finds is what the caller could see elsewhere.
pub const READ_NODE: Rule = any_caller();
/// Mutation `updateProfile`.
pub const UPDATE_PROFILE: Rule = session_only();
/// Subscription `accountEvents`: programs with an API token have no session whose end they could learn of, and the tabs
/// of their owner are none of their business.
pub const ACCOUNT_EVENTS: Rule = session_only();
/// What an older service calls to bump a login: the caller is still there.
pub const RECORD_ACTIVITY: Rule = any_caller();
/// Mutation `updatePassword`; it is open to those who have to choose a new password.
pub const UPDATE_PASSWORD: Rule = session_only();
/// `User.apiTokens`.
pub const READ_API_TOKENS: Rule = readers_or_owner(&[Permission::UsersRead]);
/// Mutation `createApiToken`: a token that made another would outlive its own revocation.
pub const CREATE_API_TOKEN: Rule = session_only();
/// Mutations `updateApiToken` and `revokeApiToken`: one's own in a session, or with the permission; `power` says on whose.
pub const MANAGE_API_TOKENS: Rule = holders_or_owner(&[Permission::SessionsRevoke]);
/// Mutation `revokeSession`: one's own in a session, or with the permission; `power` says on whose.
pub const REVOKE_SESSION: Rule = holders_or_owner(&[Permission::SessionsRevoke]);
/// Mutations `createUser`, `updateUser`, `setUserStatus`, `setUserPassword`.
pub const WRITE_USERS: Rule = holders(&[Permission::UsersWrite]);
/// Mutation `deleteUser`.
pub const DELETE_USERS: Rule = holders(&[Permission::UsersDelete]);
/// One's own account deleted, as callers of older services do.
pub const DELETE_OWN_USER: Rule = session_only();
/// Mutation `setUserRoles`.
pub const ASSIGN_ROLES: Rule = holders(&[Permission::RolesAssign]);
/// Query `tenants`.
pub const READ_TENANTS: Rule = readers(&[Permission::TenantsRead]);
/// Mutation `saveTenant`.
pub const WRITE_TENANTS: Rule = holders(&[Permission::TenantsWrite]);
/// Mutation `saveRole`: roles are the installation's.
pub const WRITE_ROLES: Rule = holders(&[Permission::RolesWrite]);

/// What a user may do now: live roles and what they add up to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// The names of the roles, sorted.
    pub roles: Vec<String>,
    /// The permissions of all of them.
    pub permissions: BTreeSet<Permission>,
}

impl Access {
    /// Whether a role with this name is among the roles, in any spelling.
    pub fn has_role(&self, name: &str) -> bool {
        let key = canonical(name);
        self.roles.iter().any(|role| canonical(role) == key)
    }

    /// Whether the permission with this name is among the permissions.
    pub fn has_permission(&self, name: &str) -> bool {
        Permission::from_name(name).is_some_and(|permission| self.permissions.contains(&permission))
    }

    /// The one role to name where an older service knows one of each user: the administrator's, or the first by name.
    pub fn primary_role(&self) -> Option<&str> {
        let admin = self.roles.iter().find(|role| *role == ADMIN);
        admin.or(self.roles.first()).map(String::as_str)
    }

    /// Whether somebody with this access may act on somebody with `other`: nobody may touch an account that can do
    /// more than they can, or a helper who resets passwords would be an administrator.
    pub fn covers(&self, other: &BTreeSet<Permission>) -> bool {
        self.permissions.is_superset(other)
    }
}

impl Rule {
    /// Whether the caller passes without being the owner.
    pub(in crate::account) fn allows(self, caller: &Caller) -> bool {
        let holds = |permission| caller.access.permissions.contains(permission);
        (self.any_of.is_empty() || self.any_of.iter().any(holds))
            && !(self.is_session_only && caller.session().is_none())
    }
}

impl Caller {
    /// Refuses callers whom `rule` does not let pass.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub(in crate::account) fn require(&self, rule: Rule) -> Result<()> {
        if rule.allows(self) { Ok(()) } else { Err(Error::Forbidden) }
    }

    /// Which users `rule` lets the caller reach.
    pub(in crate::account) fn scope(&self, rule: Rule) -> TenantScope {
        if self.access.permissions.contains(&rule.cross_tenant) {
            TenantScope::AllTenants
        } else {
            TenantScope::Tenant(self.user.tenant_id)
        }
    }

    /// The public id of the account.
    pub fn user_id(&self) -> UserId {
        self.user.uid.into()
    }
}

impl Requester {
    /// The signed-in caller, who may have to choose a new password before anything else.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] with what is wrong with the credentials.
    pub(in crate::account) fn authenticated(&self) -> Result<&Caller> {
        match &self.identity {
            Identity::Authenticated(caller) => Ok(caller),
            Identity::Rejected { error: fault, .. } => Err(Error::Unauthenticated(*fault)),
            Identity::Anonymous => Err(Error::Unauthenticated(TokenError::Missing)),
        }
    }

    /// The signed-in caller.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] with what is wrong with the credentials; [`Error::PasswordChangeRequired`].
    pub fn caller(&self) -> Result<&Caller> {
        let caller = self.authenticated()?;
        if caller.user.must_change_password { Err(Error::PasswordChangeRequired) } else { Ok(caller) }
    }

    /// The caller, if they hold the role that a place is for; who has to choose a new password passes, too.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] with what is wrong with the credentials; [`Error::Forbidden`] without the role.
    pub fn authorize_role(&self, role: Option<&str>) -> Result<&Caller> {
        let caller = self.authenticated()?;
        if role.is_none_or(|role| caller.access.has_role(role)) { Ok(caller) } else { Err(Error::Forbidden) }
    }

    /// The signed-in caller, if `rule` lets them pass.
    ///
    /// # Errors
    /// As [`Requester::signed_in`], or [`Error::Forbidden`].
    pub fn authorize(&self, rule: Rule) -> Result<&Caller> {
        let caller = self.caller()?;
        caller.require(rule)?;
        Ok(caller)
    }

    /// The signed-in caller, if `rule` lets them pass to what belongs to `owner`. What is one's own can be seen in the
    /// answer of a login even if a new password has to be chosen first.
    ///
    /// # Errors
    /// As [`Requester::signed_in`], or [`Error::Forbidden`].
    pub fn authorize_for(&self, rule: Rule, owner: &user::Model) -> Result<&Caller> {
        let caller = self.authenticated()?;
        if rule.is_open_to_owner && caller.user.id == owner.id && caller.can_act_as_owner() {
            return Ok(caller);
        }
        let caller = self.authorize(rule)?;
        if caller.scope(rule).contains(owner.tenant_id) { Ok(caller) } else { Err(Error::Forbidden) }
    }
}
