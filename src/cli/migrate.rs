//! `accountd migrate`: migrates the database to this version.

use std::process::ExitCode;

use anyhow::Result;

use crate::config::Config;
use crate::startup;

/// Migrates the database.
pub(super) async fn run(config: Config) -> Result<ExitCode> {
    let db = startup::connect(&config).await?;
    startup::migrate(&db).await?;
    db.close().await?;
    tracing::info!("the database is up to date");
    Ok(ExitCode::SUCCESS)
}
