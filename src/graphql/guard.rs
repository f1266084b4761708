//! `@guard`: the rules of `account::access` printed into the schema, from the very values that enforce them.

use async_graphql::registry::{MetaDirectiveInvocation, Registry, location_traits};
use async_graphql::{Enum, TypeDirective};

use crate::account::access::rule::{self, Rule};

/// What a role can allow.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "rule::Permission")]
pub enum Permission {
    /// See every user of one's own tenant.
    UsersRead,
    /// Create and change users.
    UsersWrite,
    /// Delete users.
    UsersDelete,
    /// See the roles.
    RolesRead,
    /// Create and change roles, which all tenants share. It counts for users of the installation's own tenant only.
    RolesWrite,
    /// Give roles to users and take them away.
    RolesAssign,
    /// See the sessions of others.
    SessionsRead,
    /// End the sessions of others.
    SessionsRevoke,
    /// See every tenant and, as far as the holder's other permissions go, its users. It counts for users of the
    /// installation's own tenant only.
    TenantsRead,
    /// Create and change tenants, and administer the users of every tenant as far as the holder's other permissions go.
    /// It counts for users of the installation's own tenant only.
    TenantsWrite,
}

mod printed {
    use super::Permission;
    use async_graphql::TypeDirective;

    /// Who may use this field. It is enforced by the same table that prints it.
    #[TypeDirective(name = "guard", location = "FieldDefinition")]
    pub fn printed(
        #[graphql(desc = "The caller must hold at least one of these permissions; empty: be signed in.")] any: Vec<
            Permission,
        >,
        #[graphql(name = "orOwner", default, desc = "The owner of the object passes without the permission.")]
        or_owner: bool,
        #[graphql(name = "inSession", default, desc = "It needs a session: API tokens do not pass.")] in_session: bool,
    ) {
    }
}

/// The directive; lower case, because the derive macros call `guard::apply`.
#[expect(non_camel_case_types, reason = "the macros of async-graphql take the directive's name from the path")]
pub struct guard;

impl guard {
    /// The directive as it stands at a field with this rule.
    pub fn apply(rule: Rule) -> MetaDirectiveInvocation {
        let any = rule.any_of.iter().copied().map(Permission::from).collect();
        printed::printed::apply(any, rule.is_open_to_owner, rule.is_session_only)
    }
}

impl TypeDirective for guard {
    fn name(&self) -> std::borrow::Cow<'static, str> {
        printed::printed.name()
    }

    fn register(&self, registry: &mut Registry) {
        printed::printed.register(registry);
    }
}

impl location_traits::Directive_At_FIELD_DEFINITION for guard {}
