//! Users: queries, profile, input for creation and update, and locking.

pub mod directory;
pub mod handle;
pub mod locking;
pub mod new_user;
pub mod profile;
pub mod query;
pub mod tenant_lookup;
pub mod update;
