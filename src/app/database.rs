//! Connections: many readers and, on SQLite, one writer.

use std::path::Path;
use std::time::Duration;

use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ConnectOptions, DatabaseConnection, DatabaseTransaction, DbBackend, IsolationLevel, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use secrecy::ExposeSecret;

use crate::config;
use crate::error::{Error, Result};

/// How long a request waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);

/// How long SQLite waits for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections that read from SQLite at the same time.
const SQLITE_READERS: u32 = 4;

/// The database. SQLite has one writer at a time: with a single writing connection callers queue fairly in the pool
/// instead of racing for the file's lock.
pub struct Database {
    reader: DatabaseConnection,
    writer: DatabaseConnection,
}

impl Database {
    /// Connects; the embedded database's file is made if it is missing.
    ///
    /// # Errors
    /// When the database cannot be opened or reached.
    pub async fn connect(settings: &config::Database) -> Result<Self> {
        match settings {
            config::Database::Embedded(path) => {
                let writer = sea_orm::Database::connect(sqlite(path, 1)?).await?;
                let reader = sea_orm::Database::connect(sqlite(path, SQLITE_READERS)?).await?;
                Ok(Self { reader, writer })
            }
            config::Database::Server(url) => {
                let mut options = ConnectOptions::new(url.expose_secret());
                options.acquire_timeout(ACQUIRE_TIMEOUT).sqlx_logging(false);
                let connection = sea_orm::Database::connect(options).await?;
                Ok(Self { reader: connection.clone(), writer: connection })
            }
        }
    }

    /// Where statements that only read run.
    pub fn reader(&self) -> &DatabaseConnection {
        &self.reader
    }

    /// Where single statements that write run.
    pub fn writer(&self) -> &DatabaseConnection {
        &self.writer
    }

    /// Begins a transaction that writes; on SQLite it takes the write lock at once (`BEGIN IMMEDIATE`), so that what it
    /// has read cannot change before it writes.
    ///
    /// # Errors
    /// Internal ones only.
    pub async fn begin(&self) -> Result<DatabaseTransaction> {
        let is_embedded = self.writer.get_database_backend() == DbBackend::Sqlite;
        let options = TransactionOptions {
            sqlite_transaction_mode: is_embedded.then_some(SqliteTransactionMode::Immediate),
            // Each statement sees what was committed before it. MySQL's own default shows a transaction the past: it
            // would change a password and miss the session that was opened in the meantime.
            isolation_level: (!is_embedded).then_some(IsolationLevel::ReadCommitted),
            ..TransactionOptions::default()
        };
        Ok(self.writer.begin_with_options(options).await?)
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<()> {
        Ok(self.reader.ping().await?)
    }

    /// Closes every connection; on SQLite this folds the write-ahead log into the database's file.
    ///
    /// # Errors
    /// Internal ones only.
    pub async fn close(&self) -> Result<()> {
        self.reader.clone().close().await?;
        self.writer.clone().close().await?;
        Ok(())
    }
}

fn sqlite(path: &Path, connections: u32) -> Result<ConnectOptions> {
    let path = path.to_str().ok_or_else(|| Error::internal("the database's path is not UTF-8"))?.to_owned();
    let mut options = ConnectOptions::new("sqlite:");
    options
        .max_connections(connections)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |options| {
            options
                .filename(&path)
                .create_if_missing(true)
                .foreign_keys(true)
                .journal_mode(SqliteJournalMode::Wal)
                // FULL: what was acknowledged survives a loss of power; NORMAL in WAL mode may lose it.
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(BUSY_TIMEOUT)
        });
    Ok(options)
}
