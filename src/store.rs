//! Named database statements, one file per table; no rule about accounts, no clock and no chance in here.

pub mod api_tokens;
pub mod audit_events;
pub mod keyset;
pub mod revoked_tokens;
pub mod roles;
pub mod sessions;
pub mod signing_keys;
pub mod throttles;
pub mod users;

/// Which users a statement may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Those of the whole installation.
    Installation,
    /// Those of one tenant.
    Tenant(i64),
}

impl Scope {
    /// Whether users of this tenant are in the scope.
    pub fn admits(self, tenant_id: i64) -> bool {
        match self {
            Self::Installation => true,
            Self::Tenant(own) => own == tenant_id,
        }
    }
}
