//! Users: queries, administration, profile and names.

pub mod administration;
pub mod by_row_id;
pub mod canonical;
pub mod directory;
pub mod email;
pub mod handle;
pub mod id;
pub mod identifier;
pub mod name;
pub mod profile;
pub mod query;
pub mod replace;
pub mod tenant_lookup;
pub mod username;
