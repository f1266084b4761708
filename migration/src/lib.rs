//! Schema migrations: append-only, re-runnable, one file per step.
//!
//! A step is recorded under its file name: never rename, reorder or change a released one. A step must tolerate an
//! interrupted run, because MySQL commits every DDL statement separately; hence `table` skips what exists.

use sea_orm_migration::MigrationTrait;
pub use sea_orm_migration::{DbErr, MigratorTrait};

mod m0001_tenants_users;
mod m0002_roles;
mod m0003_sessions;
mod m0004_signing_keys;
mod m0005_audit_events;
mod m0006_throttles;
mod m0008_api_tokens;
mod m0009_imported;
mod m0012_webhook_deliveries;
mod m0013_change_counters;
mod m0015_session_ends;
mod m0016_tokens;
mod m0017_revoked_generations;
mod m0019_tenant_status;
mod m0020_live_lists;
mod table;

/// Migrates a database up to this version, or down.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_tenants_users::Migration),
            Box::new(m0002_roles::Migration),
            Box::new(m0003_sessions::Migration),
            Box::new(m0004_signing_keys::Migration),
            Box::new(m0005_audit_events::Migration),
            Box::new(m0006_throttles::Migration),
            Box::new(m0008_api_tokens::Migration),
            Box::new(m0009_imported::Migration),
            Box::new(m0012_webhook_deliveries::Migration),
            Box::new(m0013_change_counters::Migration),
            Box::new(m0015_session_ends::Migration),
            Box::new(m0016_tokens::Migration),
            Box::new(m0017_revoked_generations::Migration),
            Box::new(m0019_tenant_status::Migration),
            Box::new(m0020_live_lists::Migration),
        ]
    }
}
