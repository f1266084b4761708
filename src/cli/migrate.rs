//! `accountd migrate`.

use std::process::ExitCode;

use anyhow::Result;

use crate::config::Config;
use crate::startup;

/// Brings the database to this version.
pub(super) async fn run(config: Config) -> Result<ExitCode> {
    let db = startup::connect(&config).await?;
    startup::migrate(&db).await?;
    db.close().await?;
    tracing::info!("the database is at this version");
    Ok(ExitCode::SUCCESS)
}
