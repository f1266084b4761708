//! Named database statements, one file per table or question; no business rules, no clock, no randomness.

pub mod api_tokens;
pub mod audit_events;
pub mod change_counters;
pub mod cut_offs;
pub mod database_clock;
mod expired;
pub mod grants;
pub mod import_sources;
pub mod imports;
pub mod keyset;
pub mod login_origins;
pub mod revoked_tokens;
pub mod roles;
mod scope;
pub mod sessions;
pub mod signing_keys;
pub mod tenants;
pub mod throttles;
mod updated_row;
mod user_locks;
pub mod users;
pub mod webhook_deliveries;

/// What statements run on: a pool, a connection or a transaction.
pub use sea_orm::ConnectionTrait as Connection;
/// A pool of connections.
pub use sea_orm::DatabaseConnection;

pub use change_counters::{Affected, Propagation, TracksChanges};
pub use cut_offs::TracksRevocations;
pub use scope::TenantScope;
