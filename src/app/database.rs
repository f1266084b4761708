//! Connections: many readers and, on SQLite, one writer.

use std::ops::Deref;
use std::path::Path;
use std::time::{Duration, Instant};

use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, IsolationLevel,
    RuntimeErr, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};
use secrecy::ExposeSecret;

use crate::config;
use crate::error::{Error, Result};

/// How long a request waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);

/// How long SQLite waits for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long one process waits for another that keeps the database to itself.
const ALONE_PATIENCE: Duration = Duration::from_secs(600);

/// The number of PostgreSQL's advisory lock for that, "accountd" in ASCII; databases do not share theirs.
const ALONE: i64 = i64::from_be_bytes(*b"accountd");

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

    /// Begins a transaction that runs alone: of several processes on one database the others wait here until it ends.
    /// It is for what one node does for all of them, such as migrations.
    ///
    /// # Errors
    /// Internal ones only; among them that somebody else held the lock for ten minutes.
    pub async fn begin_alone(&self) -> Result<Alone> {
        let deadline = Instant::now() + ALONE_PATIENCE;
        let tx = loop {
            match self.begin().await {
                // SQLite's own patience is shorter; its lock on the file is the lock.
                Err(error) if is_busy(&error) && Instant::now() < deadline => {}
                begun => break begun?,
            }
        };
        match tx.get_database_backend() {
            DbBackend::Postgres => {
                // It goes with the transaction, however that ends.
                let lock = "SELECT pg_advisory_xact_lock($1)";
                tx.execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, lock, [ALONE.into()])).await?;
            }
            DbBackend::MySql => {
                // Its locks belong to the whole server, so the name tells the database.
                let lock = "SELECT GET_LOCK(SHA1(CONCAT('accountd.', DATABASE())), ?) AS taken";
                let seconds = ALONE_PATIENCE.as_secs();
                let lock = Statement::from_sql_and_values(DbBackend::MySql, lock, [seconds.into()]);
                let row = tx.query_one_raw(lock).await?;
                let taken = row.and_then(|row| row.try_get::<Option<i64>>("", "taken").ok().flatten());
                if taken != Some(1) {
                    return Err(Error::internal("another process has kept the database to itself for ten minutes"));
                }
            }
            _ => {}
        }
        Ok(Alone(tx))
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

/// A transaction that no other process's of this kind overlaps.
pub struct Alone(DatabaseTransaction);

impl Alone {
    /// Commits, and lets the next one begin.
    ///
    /// # Errors
    /// Internal ones only.
    pub async fn commit(self) -> Result<()> {
        self.release().await?;
        Ok(self.0.commit().await?)
    }

    /// Takes back what the database can take back (MySQL commits each change of the schema by itself), and lets the
    /// next one begin.
    ///
    /// # Errors
    /// Internal ones only.
    pub async fn rollback(self) -> Result<()> {
        self.release().await?;
        Ok(self.0.rollback().await?)
    }

    /// MySQL's lock belongs to the connection, which goes back to the pool.
    async fn release(&self) -> Result<()> {
        if self.0.get_database_backend() == DbBackend::MySql {
            self.0.execute_unprepared("DO RELEASE_LOCK(SHA1(CONCAT('accountd.', DATABASE())))").await?;
        }
        Ok(())
    }
}

impl Deref for Alone {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.0
    }
}

/// Whether SQLite gave up waiting for another process.
fn is_busy(error: &Error) -> bool {
    let Error::Internal(cause) = error else { return false };
    let Some(DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause))) =
        cause.downcast_ref::<DbErr>()
    else {
        return false;
    };
    // SQLITE_BUSY, and SQLITE_BUSY_SNAPSHOT and its other kinds, which keep it in their lowest byte.
    let code = cause.as_database_error().and_then(|error| error.code());
    code.and_then(|code| code.parse::<i32>().ok()).is_some_and(|code| code & 0xff == 5)
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
