//! Connects to the configured database.

use anyhow::{Context, Result};

use super::migrate::require_migrated;
use super::{data_dir, into_anyhow};
use crate::config::{self, Config};
use crate::database::Database;

/// Connects to the configured database; the embedded one gets its directory and a file only its owner can read.
///
/// # Errors
/// The directory, the file or the server is unusable.
pub async fn connect(config: &Config) -> Result<Database> {
    if let config::Database::Embedded(path) = &config.database {
        data_dir::create_private_files(&config.data_dir, path)?;
    }
    connect_existing(config).await
}

/// Connects without creating files or changing their modes.
async fn connect_existing(config: &Config) -> Result<Database> {
    if let config::Database::Embedded(path) = &config.database {
        let place = || format!("cannot open the database {}", path.display());
        return Database::connect(&config.database).await.map_err(into_anyhow).with_context(place);
    }
    Database::connect(&config.database).await.map_err(into_anyhow)
}

/// Opens the existing database for reading, without creating or migrating it. `None` if the embedded one does not
/// exist.
///
/// # Errors
/// It is unreachable, or of another version.
pub async fn open_read_only(config: &Config) -> Result<Option<Database>> {
    if let config::Database::Embedded(path) = &config.database
        && !path.exists()
    {
        return Ok(None);
    }
    let db = connect_existing(config).await?;
    require_migrated(&db).await?;
    Ok(Some(db))
}
