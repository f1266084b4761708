//! Authorization data: permissions, roles, effective access and rules.

pub mod grants;
pub mod permission;
pub mod role;
pub mod rule;
