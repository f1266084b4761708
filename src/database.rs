//! Connections: many readers and, on SQLite, one writer.

mod exclusive;
mod group_commit;
mod retry;
mod server;
mod sqlite_file;
pub mod transaction;

use std::sync::Arc;
use std::time::Duration;

use sea_orm::sqlx::Connection;
use sea_orm::sqlx::sqlite::{SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, IsolationLevel,
    SqliteTransactionMode, SqlxError, TransactionOptions, TransactionTrait,
};

use crate::cache::InvalidationLog;
use crate::config;
use crate::error::{Error, Result};
use transaction::Transaction;

use group_commit::GroupCommitWriter;
use sqlite_file::SqliteFile;

/// What never logs, whichever level is asked for: its spans tell the database's URL and what is written, with all
/// secrets in them.
pub const SILENCED_TARGETS: [&str; 2] = ["sea_orm::database=off", "sea_orm::driver=off"];

/// How long a request waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a database server works at one statement or waits for a lock, in milliseconds.
const STATEMENT_TIMEOUT: u32 = 5_000;

/// How long a database server lets a transaction idle whose client is gone, in milliseconds.
const IDLE_TIMEOUT: u32 = 10_000;

/// How long SQLite waits for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Bytes that SQLite's write-ahead log keeps of the disk when it was longer for a while.
const WAL_SIZE_LIMIT: &str = "67108864";

/// Connections that read from SQLite at the same time.
const SQLITE_READERS: u32 = 4;

/// The database. SQLite has one writer at a time: with a single writing connection callers queue fairly, transactions in
/// the pool and single statements before it, instead of racing for the file's lock.
pub struct Database {
    reader: DatabaseConnection,
    writer: GroupCommitWriter,
    /// Of the embedded database only.
    file: Option<Arc<SqliteFile>>,
    poller: DatabaseConnection,
    invalidation_log: InvalidationLog,
}

impl Database {
    /// Connects; the embedded database's file is made if it is missing.
    ///
    /// # Errors
    /// When the database cannot be opened or reached.
    pub async fn connect(settings: &config::Database) -> Result<Self> {
        match settings {
            config::Database::Embedded(path) => {
                let file = Arc::new(SqliteFile::open(path)?);
                let writer =
                    GroupCommitWriter::for_sqlite(sea_orm::Database::connect(sqlite_options(&file, 1, true)?).await?);
                let reader = sea_orm::Database::connect(sqlite_options(&file, SQLITE_READERS, false)?).await?;
                let watcher = sea_orm::Database::connect(sqlite_options(&file, 1, false)?).await?;
                Ok(Self {
                    reader,
                    writer,
                    file: Some(file),
                    poller: watcher,
                    invalidation_log: InvalidationLog::default(),
                })
            }
            config::Database::Server(url) => {
                let server = server::Server::parse(url)?;
                let mut options = server.connect_options();
                let connection = match sea_orm::Database::connect(options.clone()).await {
                    Ok(connection) => connection,
                    Err(error) => return Err(server.connection_error(&error).await),
                };
                server.check_pooler().await?;
                options.max_connections(1).connect_lazy(true);
                let watcher = sea_orm::Database::connect(options).await?;
                let ledger = InvalidationLog::default();
                Ok(Self {
                    reader: connection.clone(),
                    writer: GroupCommitWriter::for_server(connection),
                    file: None,
                    poller: watcher,
                    invalidation_log: ledger,
                })
            }
        }
    }

    /// Where statements that only read run.
    pub fn reader(&self) -> &DatabaseConnection {
        &self.reader
    }

    /// A connection that is kept for the watch, so that no crowd of requests comes between it and the news.
    pub fn poller(&self) -> &DatabaseConnection {
        &self.poller
    }

    /// Whether it is PostgreSQL, or speaks like it.
    pub fn is_postgres(&self) -> bool {
        self.writer.get_database_backend() == DbBackend::Postgres
    }

    /// What this process knows of changes.
    pub fn invalidation_log(&self) -> &InvalidationLog {
        &self.invalidation_log
    }

    /// Where single statements that write run, if they change nothing about a caller.
    pub fn writer(&self) -> &GroupCommitWriter {
        &self.writer
    }

    /// Begins a transaction that writes; on SQLite it takes the write lock at once (`BEGIN IMMEDIATE`), so that what it
    /// has read cannot change before it writes.
    ///
    /// # Errors
    /// [`Error::StorageUnavailable`] if the embedded database's file is not in its place; internal ones.
    pub async fn begin(&self) -> Result<Transaction> {
        Ok(Transaction::new(self.begin_sql_transaction().await?, self.invalidation_log.clone()))
    }

    async fn begin_sql_transaction(&self) -> Result<DatabaseTransaction> {
        self.check_sqlite_file()?;
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
        self.check_sqlite_file()?;
        Ok(self.reader.ping().await?)
    }

    /// Whether the embedded database's disk has less than so many bytes left. A server tells of its own when it cannot
    /// store anything.
    pub fn is_below_free_space(&self, least: u64) -> bool {
        self.file.as_ref().and_then(|file| file.free_bytes()).is_some_and(|free| free < least)
    }

    /// Has what is acknowledged be written to the file that the next start will find; for statements without a
    /// transaction.
    ///
    /// # Errors
    /// [`Error::StorageUnavailable`] if the embedded database's file is not in its place.
    pub fn check_sqlite_file(&self) -> Result<()> {
        self.file.as_ref().map_or(Ok(()), |file| file.check_in_place())
    }

    /// Closes every connection; on SQLite this folds the write-ahead log into the database's file.
    ///
    /// # Errors
    /// Internal ones only.
    pub async fn close(&self) -> Result<()> {
        self.reader.clone().close().await?;
        DatabaseConnection::clone(&self.writer).close().await?;
        self.poller.clone().close().await?;
        Ok(())
    }
}

/// What each connection to MySQL or MariaDB is told first, in milliseconds; 0 is no limit. The comments are read by
/// MariaDB alone, and by MySQL 8 alone, which limits only questions and has nothing for idle transactions.
fn mysql_session_limits(statement: u32, idle: u32) -> String {
    let seconds = |milliseconds: u32| milliseconds / 1_000;
    format!(
        "SET SESSION innodb_lock_wait_timeout = {lock} \
         /*M! , max_statement_time = {statement}, idle_transaction_timeout = {idle} */ \
         /*!80000 , max_execution_time = {milliseconds} */",
        lock = seconds(STATEMENT_TIMEOUT),
        milliseconds = statement,
        statement = seconds(statement),
        idle = seconds(idle),
    )
}

/// Whether the connection is outside of any transaction. When SQLite cannot commit, on a full disk for one, it takes the
/// transaction back by itself; the driver goes on to count it, opens the next one within it, and would acknowledge what
/// is never committed. Such a connection is closed.
async fn is_outside_transaction(connection: &mut SqliteConnection) -> sea_orm::sqlx::Result<bool> {
    if connection.is_in_transaction() {
        // One that was given up is rolled back before this is answered.
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

fn sqlite_options(file: &Arc<SqliteFile>, connections: u32, writes: bool) -> Result<ConnectOptions> {
    let file = Arc::clone(file);
    let path = file.path().to_str().ok_or_else(|| Error::internal("the database's path is not UTF-8"))?.to_owned();
    let mut options = ConnectOptions::new("sqlite:");
    options
        .max_connections(connections)
        .min_connections(connections)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // There is no network between that could have lost it.
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_pool_opts(move |pool| {
            let file = Arc::clone(&file);
            let pool = match writes {
                true => pool.after_release(|connection, _| Box::pin(is_outside_transaction(connection))),
                false => pool,
            };
            pool.after_connect(move |_, _| {
                // One that is opened later must not find another file in its place.
                let found = file.check_in_place().map_err(|error| SqlxError::Configuration(error.into()));
                Box::pin(async { found })
            })
        })
        .map_sqlx_sqlite_opts(move |options| {
            options
                .filename(&path)
                .create_if_missing(false)
                .foreign_keys(true)
                .journal_mode(SqliteJournalMode::Wal)
                // FULL: what was acknowledged survives a loss of power; NORMAL in WAL mode may lose it.
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(BUSY_TIMEOUT)
                // A slow reader makes the log grow; afterwards it is cut to this size again.
                .pragma("journal_size_limit", WAL_SIZE_LIMIT)
        });
    Ok(options)
}
