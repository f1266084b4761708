//! A database for each test: an SQLite file, or one on the server named by the environment.

mod pool;
mod server;

use std::path::{Path, PathBuf};

use accountd::config;
use sea_orm::DbBackend;
use secrecy::SecretString;
use tempfile::{TempDir, tempdir};

use pool::{DatabaseLease, database_pool};

/// The secret that encrypts the keys in databases on a server.
pub const SECRET: &str = "b6Uw0Zr3xq9TnV1kYp5sLd8hGf2jMc7e";

/// The database backend of this run: `ACCOUNTD_TEST_POSTGRES` or `ACCOUNTD_TEST_MYSQL` holds the URL of a server that
/// allows creating and dropping databases; without them every test has a file.
pub fn backend() -> DbBackend {
    database_pool().map_or(DbBackend::Sqlite, |pool| pool.backend)
}

/// A database and a directory that are deleted on drop.
pub struct TestDatabase {
    /// Not yet created.
    pub directory: PathBuf,
    _parent: TempDir,
    lease: Option<DatabaseLease>,
}

impl TestDatabase {
    /// A database at the current version.
    pub async fn migrated() -> Self {
        Self::create(true).await
    }

    /// An empty database.
    pub async fn empty() -> Self {
        Self::create(false).await
    }

    async fn create(migrated: bool) -> Self {
        let lease = match database_pool() {
            Some(pool) => Some(pool.acquire(migrated).await),
            None => None,
        };
        let parent = tempdir().unwrap();
        Self { directory: parent.path().join("data"), _parent: parent, lease }
    }

    /// The settings of a service on this database, as environment variables.
    pub fn settings(&self) -> Vec<(String, String)> {
        let Some(lease) = &self.lease else { return Vec::new() };
        let setting = |name: &str, value: &str| (format!("ACCOUNTD_{name}"), value.to_owned());
        vec![setting("DATABASE_URL", &lease.url()), setting("SECRET_KEY", SECRET)]
    }

    /// The same as a parsed setting.
    pub fn config(&self) -> config::Database {
        match &self.lease {
            Some(lease) => config::Database::Server(lease.url().into()),
            None => config::Database::Embedded(self.directory.join("accountd.db")),
        }
    }
}

/// The secret that encrypts the keys of a service with this data directory.
pub fn secret(data_dir: &Path) -> SecretString {
    match backend() {
        DbBackend::Sqlite => std::fs::read_to_string(data_dir.join("secret.key")).unwrap().into(),
        _ => SECRET.into(),
    }
}
