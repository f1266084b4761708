//! Named database statements, one file per table; no rule about accounts, no clock and no chance in here.

pub mod api_tokens;
pub mod audit_events;
pub mod change_counters;
pub mod cut_offs;
pub mod database_clock;
mod expired;
pub mod import_sources;
pub mod imports;
pub mod keyset;
pub mod login_origins;
pub mod revoked_tokens;
pub mod roles;
pub mod sessions;
pub mod signing_keys;
pub mod tenants;
pub mod throttles;
pub mod users;
pub mod webhook_deliveries;

use entity::{tenant, user};
use sea_orm::{ColumnTrait, Condition};

pub use change_counters::{Affected, Propagation, TracksChanges};
pub use cut_offs::TracksRevocations;

/// Which tenants, with their users, a statement may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TenantScope {
    /// All of the installation.
    AllTenants,
    /// One.
    Tenant(i64),
}

impl TenantScope {
    /// Whether users of this tenant are in the scope.
    pub fn contains(self, tenant_id: i64) -> bool {
        match self {
            Self::AllTenants => true,
            Self::Tenant(own) => own == tenant_id,
        }
    }

    /// The condition on users.
    fn user_condition(self) -> Condition {
        match self {
            Self::AllTenants => Condition::all(),
            Self::Tenant(own) => Condition::all().add(user::Column::TenantId.eq(own)),
        }
    }

    /// The condition on tenants themselves.
    fn tenant_condition(self) -> Condition {
        match self {
            Self::AllTenants => Condition::all(),
            Self::Tenant(own) => Condition::all().add(tenant::Column::Id.eq(own)),
        }
    }
}
