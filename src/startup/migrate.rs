//! Migrates the database, and checks its version.

use anyhow::{Context, Result};
use migration::{DbErr, Migrator, MigratorTrait};

use super::into_anyhow;
use crate::database::Database;

/// Migrates the database to this version. Of several processes, one migrates and the others wait.
///
/// # Errors
/// A step fails, or the database is of a later version.
pub async fn migrate(db: &Database) -> Result<()> {
    let tx = db.begin_exclusive().await.map_err(into_anyhow).context("cannot migrate the database")?;
    // On one connection: on SQLite and PostgreSQL the steps are one transaction.
    match Migrator::up(&*tx, None).await {
        Ok(()) => tx.commit().await.map_err(into_anyhow),
        Err(error) => {
            tx.rollback().await.map_err(into_anyhow)?;
            Err(version_error(error)).context("cannot migrate the database to this version")
        }
    }
}

/// Fails unless the database is of this version.
pub(super) async fn require_migrated(db: &Database) -> Result<()> {
    let pending = Migrator::get_pending_migrations_read_only(db.reader()).await;
    let pending = pending.map_err(version_error).context("cannot start on this database")?;
    anyhow::ensure!(pending.is_empty(), "the database is older than this program: run `accountd migrate` first");
    Ok(())
}

/// The migrator's error for an unknown step, for the operator.
fn version_error(error: DbErr) -> anyhow::Error {
    match error {
        // The migrator has no other error of its own here, and no variant for this one.
        DbErr::Custom(_) => {
            anyhow::anyhow!(
                "the database is newer than this program: start the version that migrated it, or a later one"
            )
        }
        error => error.into(),
    }
}
