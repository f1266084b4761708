//! `accountd migrate`.

use anyhow::Result;

use crate::config::Config;
use crate::start;

/// Brings the database to this version.
pub(super) async fn run(config: Config) -> Result<()> {
    let db = start::connect(&config).await?;
    start::migrate(&db).await?;
    db.close().await?;
    tracing::info!("the database is at this version");
    Ok(())
}
