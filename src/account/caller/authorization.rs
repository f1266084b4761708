//! Authorization of callers by rules.

use entity::user;

use super::requester::{Caller, Identity, Requester};
use crate::account::access::rule::Rule;
use crate::account::names::id::UserId;
use crate::error::{Error, Result, TokenError};
use crate::store::TenantScope;

impl Rule {
    /// Whether the caller passes without being the owner.
    pub(in crate::account) fn allows(self, caller: &Caller) -> bool {
        let holds = |permission| caller.access.permissions.contains(permission);
        (self.any_of.is_empty() || self.any_of.iter().any(holds))
            && !(self.is_session_only && caller.session().is_none())
    }
}

impl Caller {
    /// Requires that `rule` admits the caller.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub(in crate::account) fn require(&self, rule: Rule) -> Result<()> {
        if rule.allows(self) { Ok(()) } else { Err(Error::Forbidden) }
    }

    /// The tenants whose users `rule` opens to the caller.
    pub(in crate::account) fn scope(&self, rule: Rule) -> TenantScope {
        if self.access.permissions.contains(&rule.cross_tenant) {
            TenantScope::AllTenants
        } else {
            TenantScope::Tenant(self.user.tenant_id)
        }
    }

    /// The public user id.
    pub fn user_id(&self) -> UserId {
        self.user.uid.into()
    }
}

impl Requester {
    /// The authenticated caller; a required password change is no error here.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] with the defect of the credentials.
    pub(crate) fn authenticated(&self) -> Result<&Caller> {
        match &self.identity {
            Identity::Authenticated(caller) => Ok(caller),
            Identity::Rejected { error, .. } => Err(Error::Unauthenticated(*error)),
            Identity::Anonymous => Err(Error::Unauthenticated(TokenError::Missing)),
        }
    }

    /// The authenticated caller.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] with the defect of the credentials; [`Error::PasswordChangeRequired`].
    pub fn caller(&self) -> Result<&Caller> {
        let caller = self.authenticated()?;
        if caller.user.must_change_password { Err(Error::PasswordChangeRequired) } else { Ok(caller) }
    }

    /// The authenticated caller, if they have the role that a route requires. A required password change is no error
    /// here.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] with the defect of the credentials; [`Error::Forbidden`] without the role.
    pub fn authorize_role(&self, role: Option<&str>) -> Result<&Caller> {
        let caller = self.authenticated()?;
        if role.is_none_or(|role| caller.access.has_role(role)) { Ok(caller) } else { Err(Error::Forbidden) }
    }

    /// The authenticated caller, if `rule` admits them.
    ///
    /// # Errors
    /// As [`Requester::caller`], or [`Error::Forbidden`].
    pub fn authorize(&self, rule: Rule) -> Result<&Caller> {
        let caller = self.caller()?;
        caller.require(rule)?;
        Ok(caller)
    }

    /// The authenticated caller, if `rule` admits them to an object of `owner`. Owners can read their own data in a
    /// login response even when they must change the password first.
    ///
    /// # Errors
    /// As [`Requester::caller`], or [`Error::Forbidden`].
    pub fn authorize_for(&self, rule: Rule, owner: &user::Model) -> Result<&Caller> {
        let caller = self.authenticated()?;
        if rule.is_open_to_owner && caller.user.id == owner.id && caller.can_act_as_owner() {
            return Ok(caller);
        }
        let caller = self.authorize(rule)?;
        if caller.scope(rule).contains(owner.tenant_id) { Ok(caller) } else { Err(Error::Forbidden) }
    }
}
