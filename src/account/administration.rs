//! Administration of users, roles and tenants.

pub mod by_row_id;
pub mod replace;
pub mod role;
pub(crate) mod role_administration;
pub mod tenant;
pub mod user_lifecycle;
