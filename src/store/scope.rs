//! The tenants that a statement covers.

use entity::{tenant, user};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, Select};

/// The tenants whose rows a statement may read and write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TenantScope {
    /// All tenants.
    AllTenants,
    /// One tenant, by row id.
    Tenant(i64),
}

impl TenantScope {
    /// Whether the scope includes this tenant.
    pub fn contains(self, tenant_id: i64) -> bool {
        match self {
            Self::AllTenants => true,
            Self::Tenant(own) => own == tenant_id,
        }
    }

    /// The scope as a condition on users.
    pub(super) fn user_condition(self) -> Condition {
        match self {
            Self::AllTenants => Condition::all(),
            Self::Tenant(own) => Condition::all().add(user::Column::TenantId.eq(own)),
        }
    }

    /// The scope as a condition on tenants.
    pub(super) fn tenant_condition(self) -> Condition {
        match self {
            Self::AllTenants => Condition::all(),
            Self::Tenant(own) => Condition::all().add(tenant::Column::Id.eq(own)),
        }
    }

    /// The users in the scope.
    pub(super) fn find_users(self) -> Select<user::Entity> {
        user::Entity::find().filter(self.user_condition())
    }
}
