//! `@guard`: prints the access rules into the SDL, from the same values that enforce them.

use async_graphql::registry::{MetaDirectiveInvocation, Registry, location_traits};
use async_graphql::{Enum, TypeDirective};

use crate::account::access::permission;
use crate::account::access::rule::Rule;

/// A permission that a role can grant.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "permission::Permission")]
pub enum Permission {
    /// Read the users of the holder's own tenant, with their API tokens.
    UsersRead,
    /// Create and change users.
    UsersWrite,
    /// Delete users.
    UsersDelete,
    /// Read all roles with their permissions.
    RolesRead,
    /// Create, change and delete roles, which all tenants share. Effective only for users of the default tenant.
    RolesWrite,
    /// Assign roles to users and remove them.
    RolesAssign,
    /// Read the sessions of other users.
    SessionsRead,
    /// End the sessions and revoke the API tokens of other users.
    SessionsRevoke,
    /// Read all tenants and, within the holder's other read permissions, their users. Effective only for users of the
    /// default tenant.
    TenantsRead,
    /// Create, change and delete tenants, and administer the users of all tenants within the holder's other
    /// permissions. Effective only for users of the default tenant.
    TenantsWrite,
}

mod definition {
    use super::Permission;
    use async_graphql::TypeDirective;

    /// Access rule of a field; the same table enforces it. Other callers get FORBIDDEN, callers without valid
    /// credentials UNAUTHENTICATED.
    #[TypeDirective(name = "guard", location = "FieldDefinition")]
    pub fn definition(
        #[graphql(desc = "The caller must hold at least one of these permissions; empty: any authenticated caller.")]
        any: Vec<Permission>,
        #[graphql(name = "orOwner", default, desc = "The owner of the object needs no permission.")] or_owner: bool,
        #[graphql(name = "inSession", default, desc = "A session is required: API tokens are refused.")]
        in_session: bool,
    ) {
    }
}

/// The directive. Lower case, because the derive macros of async-graphql call `guard::apply`.
#[expect(non_camel_case_types, reason = "the macros of async-graphql take the directive's name from the path")]
pub struct guard;

impl guard {
    /// The invocation of the directive for a field with this rule.
    pub fn apply(rule: Rule) -> MetaDirectiveInvocation {
        let any = rule.any_of.iter().copied().map(Permission::from).collect();
        definition::definition::apply(any, rule.is_open_to_owner, rule.is_session_only)
    }
}

impl TypeDirective for guard {
    fn name(&self) -> std::borrow::Cow<'static, str> {
        definition::definition.name()
    }

    fn register(&self, registry: &mut Registry) {
        definition::definition.register(registry);
    }
}

impl location_traits::Directive_At_FIELD_DEFINITION for guard {}
