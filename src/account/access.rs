//! Authorization: permissions, rules, roles and tenants.

pub(crate) mod authorization;
pub mod role;
pub(crate) mod role_administration;
pub mod rule;
pub mod tenant;
