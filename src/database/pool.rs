//! Connection pools of the database: many readers and, on SQLite, one writer.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::sqlx::Connection;
use sea_orm::sqlx::sqlite::{SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, IsolationLevel,
    SqliteTransactionMode, SqlxError, TransactionOptions, TransactionTrait,
};

use super::group_commit::GroupCommitWriter;
use super::server;
use super::session_limits::ACQUIRE_TIMEOUT;
use super::sqlite_file::SqliteFile;
use super::transaction::Transaction;
use crate::cache::InvalidationLog;
use crate::config;
use crate::error::{Error, Result};

/// Time that SQLite waits for another writing process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Size to which SQLite truncates its write-ahead log, in bytes.
const WAL_SIZE_LIMIT: &str = "67108864";

/// Concurrent read connections to SQLite.
const SQLITE_READERS: u32 = 4;

/// The database. SQLite has one writer at a time: on a single write connection callers queue fairly, transactions in
/// the pool and single statements before it, instead of racing for the file lock.
pub struct Database {
    reader: DatabaseConnection,
    writer: GroupCommitWriter,
    /// The embedded database's file.
    file: Option<Arc<SqliteFile>>,
    poller: DatabaseConnection,
    invalidation_log: InvalidationLog,
}

impl Database {
    /// Connects; the embedded database's file is created if it is missing.
    ///
    /// # Errors
    /// The database cannot be opened or reached.
    pub async fn connect(settings: &config::Database) -> Result<Self> {
        match settings {
            config::Database::Embedded(path) => {
                let file = Arc::new(SqliteFile::open(path)?);
                let writer = GroupCommitWriter::for_sqlite(
                    sea_orm::Database::connect(sqlite_options(&file, SqlitePool::Writer)?).await?,
                );
                let reader =
                    sea_orm::Database::connect(sqlite_options(&file, SqlitePool::Readers(SQLITE_READERS))?).await?;
                let poller = sea_orm::Database::connect(sqlite_options(&file, SqlitePool::Readers(1))?).await?;
                Ok(Self { reader, writer, file: Some(file), poller, invalidation_log: InvalidationLog::default() })
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
                let poller = sea_orm::Database::connect(options).await?;
                let invalidation_log = InvalidationLog::default();
                Ok(Self {
                    reader: connection.clone(),
                    writer: GroupCommitWriter::for_server(connection),
                    file: None,
                    poller,
                    invalidation_log,
                })
            }
        }
    }

    /// Connection for statements that only read.
    pub fn reader(&self) -> &DatabaseConnection {
        &self.reader
    }

    /// Connection reserved for the invalidation poller, so that load does not delay invalidations.
    pub fn poller(&self) -> &DatabaseConnection {
        &self.poller
    }

    /// Whether it is PostgreSQL or compatible with it.
    pub fn is_postgres(&self) -> bool {
        self.writer.get_database_backend() == DbBackend::Postgres
    }

    /// This node's record of changes.
    pub fn invalidation_log(&self) -> &InvalidationLog {
        &self.invalidation_log
    }

    /// Connection for single statements that write, if they change nothing about a caller.
    pub fn writer(&self) -> &GroupCommitWriter {
        &self.writer
    }

    /// Begins a transaction that writes; on SQLite it takes the write lock at once (`BEGIN IMMEDIATE`), so that its
    /// reads stay valid until its writes.
    ///
    /// # Errors
    /// [`Error::StorageUnavailable`] if the embedded database's file was moved or deleted.
    pub async fn begin(&self) -> Result<Transaction> {
        Ok(Transaction::new(self.begin_sql_transaction().await?, self.invalidation_log.clone()))
    }

    /// Begins a transaction without the tracking of changes.
    pub(super) async fn begin_sql_transaction(&self) -> Result<DatabaseTransaction> {
        self.check_sqlite_file()?;
        let is_embedded = self.writer.get_database_backend() == DbBackend::Sqlite;
        let options = TransactionOptions {
            sqlite_transaction_mode: is_embedded.then_some(SqliteTransactionMode::Immediate),
            // Each statement sees what was committed before it. MySQL's default isolation reads a snapshot: a password
            // change would miss a session opened in the meantime.
            isolation_level: (!is_embedded).then_some(IsolationLevel::ReadCommitted),
            ..TransactionOptions::default()
        };
        Ok(self.writer.begin_with_options(options).await?)
    }

    /// Checks that the database responds.
    ///
    /// # Errors
    /// It does not.
    pub async fn ping(&self) -> Result<()> {
        self.check_sqlite_file()?;
        Ok(self.reader.ping().await?)
    }

    /// Whether the embedded database's disk has less than `least` bytes left. A server reports by itself that it cannot
    /// store.
    pub fn is_below_free_space(&self, least: u64) -> bool {
        self.file.as_ref().and_then(|file| file.free_bytes()).is_some_and(|free| free < least)
    }

    /// Checks that writes go to the file that the next start will open; for statements without a transaction.
    ///
    /// # Errors
    /// [`Error::StorageUnavailable`] if the embedded database's file was moved or deleted.
    pub fn check_sqlite_file(&self) -> Result<()> {
        self.file.as_ref().map_or(Ok(()), |file| file.check_in_place())
    }

    /// Closes all connections; on SQLite this merges the write-ahead log into the database's file.
    pub async fn close(&self) -> Result<()> {
        self.reader.clone().close().await?;
        DatabaseConnection::clone(&self.writer).close().await?;
        self.poller.clone().close().await?;
        Ok(())
    }
}

/// Whether the connection is outside of any transaction. When SQLite cannot commit, for example on a full disk, it
/// rolls back by itself; the driver still counts the transaction, nests the next one in it, and would acknowledge what
/// is never committed. Such a connection is closed.
async fn is_outside_transaction(connection: &mut SqliteConnection) -> sea_orm::sqlx::Result<bool> {
    if connection.is_in_transaction() {
        // A dropped transaction is rolled back before the ping returns.
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

/// Kind of a connection pool to SQLite.
#[derive(Clone, Copy)]
enum SqlitePool {
    /// The only connection that writes.
    Writer,
    /// This many connections that read.
    Readers(u32),
}

fn sqlite_options(file: &Arc<SqliteFile>, kind: SqlitePool) -> Result<ConnectOptions> {
    let connections = match kind {
        SqlitePool::Writer => 1,
        SqlitePool::Readers(count) => count,
    };
    let file = Arc::clone(file);
    let path = file.path().to_str().ok_or_else(|| Error::internal("the database's path is not UTF-8"))?.to_owned();
    let mut options = ConnectOptions::new("sqlite:");
    options
        .max_connections(connections)
        .min_connections(connections)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // Without a network, connections do not break.
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_pool_opts(move |pool| {
            let file = Arc::clone(&file);
            let pool = match kind {
                SqlitePool::Writer => pool.after_release(|connection, _| Box::pin(is_outside_transaction(connection))),
                SqlitePool::Readers(_) => pool,
            };
            pool.after_connect(move |_, _| {
                // A later connection must not open another file in its place.
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
                // FULL: acknowledged writes survive a power loss; NORMAL in WAL mode may lose them.
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(BUSY_TIMEOUT)
                // A slow reader makes the log grow; afterwards it is truncated to this size.
                .pragma("journal_size_limit", WAL_SIZE_LIMIT)
        });
    Ok(options)
}
