//! A database for each test: an SQLite file, or one on the server that the environment names.

mod pool;
mod server;

use std::path::{Path, PathBuf};

use accountd::config;
use sea_orm::DbBackend;
use secrecy::SecretString;

use super::scratch_directory;
use pool::{DatabaseLease, database_pool};

/// What seals the keys of databases on a server.
pub const SECRET: &str = "b6Uw0Zr3xq9TnV1kYp5sLd8hGf2jMc7e";

/// Where the tests of this run keep their databases: `ACCOUNTD_TEST_POSTGRES` or `ACCOUNTD_TEST_MYSQL` holds the URL of
/// a server on which they may make and drop databases; without them every test has a file.
pub fn backend() -> DbBackend {
    database_pool().map_or(DbBackend::Sqlite, |keeper| keeper.backend)
}

/// A database and a directory that go when it is dropped.
pub struct TestDatabase {
    pub directory: PathBuf,
    lease: Option<DatabaseLease>,
}

impl TestDatabase {
    /// A database of this version.
    pub async fn migrated() -> Self {
        Self::create(true).await
    }

    /// A database in which there is nothing yet.
    pub async fn empty() -> Self {
        Self::create(false).await
    }

    async fn create(migrated: bool) -> Self {
        let made = match database_pool() {
            Some(keeper) => Some(keeper.acquire(migrated).await),
            None => None,
        };
        Self { directory: scratch_directory(), lease: made }
    }

    /// The settings with which a service uses it, as environment variables.
    pub fn settings(&self) -> Vec<(String, String)> {
        let Some(made) = &self.lease else { return Vec::new() };
        let setting = |name: &str, value: &str| (format!("ACCOUNTD_{name}"), value.to_owned());
        vec![setting("DATABASE_URL", &made.url()), setting("SECRET_KEY", SECRET)]
    }

    /// The same as a parsed setting.
    pub fn config(&self) -> config::Database {
        match &self.lease {
            Some(made) => config::Database::Server(made.url().into()),
            None => config::Database::Embedded(self.directory.join("accountd.db")),
        }
    }
}

/// The secret that seals the keys of a service with this data directory.
pub fn secret(data_dir: &Path) -> SecretString {
    match backend() {
        DbBackend::Sqlite => std::fs::read_to_string(data_dir.join("secret.key")).unwrap().into(),
        _ => SECRET.into(),
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.directory).ok();
    }
}
