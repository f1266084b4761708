//! Where single statements that write run. On the embedded database those of callers who come at the same time are
//! committed together: there is one writer, and each commit waits for the disk.

use std::iter;
use std::ops::Deref;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt;
use futures_util::future::join_all;
use sea_orm::error::ConnAcquireErr;
use sea_orm::prelude::async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::ACQUIRE_TIMEOUT;
use crate::error::is_database_busy;

/// Most statements of one commit.
const MAX_BATCH: usize = 64;

/// A connection that writes.
pub struct GroupCommitWriter {
    connection: DatabaseConnection,
    /// Of the embedded database only.
    queue: Option<mpsc::UnboundedSender<QueuedStatement>>,
}

/// A statement whose caller waits.
struct QueuedStatement {
    statement: Statement,
    /// Who sets it first decides: whoever runs the statement, or the caller who has waited for too long.
    claimed: Arc<AtomicBool>,
    answer: oneshot::Sender<Result<ExecResult, DbErr>>,
}

impl GroupCommitWriter {
    /// One of a server, which commits for many connections at once by itself.
    pub(super) fn for_server(connection: DatabaseConnection) -> Self {
        Self { connection, queue: None }
    }

    /// The one of the embedded database. Has to be called within a runtime.
    pub(super) fn for_sqlite(connection: DatabaseConnection) -> Self {
        let (queue, waiting) = mpsc::unbounded_channel();
        tokio::spawn(run_worker(connection.clone(), waiting));
        Self { connection, queue: Some(queue) }
    }
}

/// Runs what waits, as much at a time as has come while the last was committed.
async fn run_worker(connection: DatabaseConnection, mut waiting: mpsc::UnboundedReceiver<QueuedStatement>) {
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, MAX_BATCH).await > 0 {
        let (statements, answers): (Vec<_>, Vec<_>) = batch.drain(..).filter_map(claim).unzip();
        // The drivers panic at values that a database cannot hold: that is the end of these statements alone.
        let Ok(results) = AssertUnwindSafe(run_batch(&connection, statements)).catch_unwind().await else {
            tracing::error!("a statement panicked");
            continue;
        };
        for (answer, result) in answers.into_iter().zip(results) {
            // The caller may have gone away; what is done is done.
            answer.send(result).ok();
        }
    }
}

/// What is to be run, if its caller is still there.
fn claim(waiting: QueuedStatement) -> Option<(Statement, oneshot::Sender<Result<ExecResult, DbErr>>)> {
    let QueuedStatement { statement, claimed: is_settled, answer } = waiting;
    let is_cancelled = answer.is_closed() || is_settled.swap(true, Ordering::SeqCst);
    (!is_cancelled).then_some((statement, answer))
}

async fn run_batch(connection: &DatabaseConnection, statements: Vec<Statement>) -> Vec<Result<ExecResult, DbErr>> {
    if statements.len() > 1 {
        let tx = match begin(connection).await {
            Ok(tx) => tx,
            Err(cause) => return fail_all(cause, statements.len()),
        };
        match run_in_one_transaction(tx, &statements).await {
            Ok(results) => return results,
            // Nothing of it was kept: each is run again, and told of its own failure alone.
            Err(cause) => tracing::debug!(%cause, "statements that could not be committed together run alone"),
        }
    }
    join_all(statements.into_iter().map(|statement| connection.execute_raw(statement))).await
}

/// Begins a transaction that takes SQLite's write lock at once.
async fn begin(connection: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let sqlite_transaction_mode = Some(SqliteTransactionMode::Immediate);
    connection.begin_with_options(TransactionOptions { sqlite_transaction_mode, ..TransactionOptions::default() }).await
}

/// The answers when nothing can be written now. One is told why, and trying again for each would only take as long
/// again: the others are told whether it is busy or away.
fn fail_all(cause: DbErr, count: usize) -> Vec<Result<ExecResult, DbErr>> {
    let is_busy = is_database_busy(&cause);
    let others = || {
        let why = if is_busy { ConnAcquireErr::Timeout } else { ConnAcquireErr::ConnectionClosed };
        Err(DbErr::ConnectionAcquire(why))
    };
    iter::once(Err(cause)).chain(iter::repeat_with(others)).take(count).collect()
}

async fn run_in_one_transaction(
    tx: DatabaseTransaction,
    statements: &[Statement],
) -> Result<Vec<Result<ExecResult, DbErr>>, DbErr> {
    let mut results = Vec::with_capacity(statements.len());
    for statement in statements {
        let result = tx.execute_raw(statement.clone()).await;
        match result {
            // What breaks a rule takes back its own statement and nothing else (<https://sqlite.org/lang_conflict.html>).
            Err(error) if error.sql_err().is_none() => return Err(error),
            result => results.push(result),
        }
    }
    tx.commit().await?;
    Ok(results)
}

impl Deref for GroupCommitWriter {
    type Target = DatabaseConnection;

    fn deref(&self) -> &DatabaseConnection {
        &self.connection
    }
}

/// What takes a connection takes this one. Statements that tell rows have the connection for themselves.
#[async_trait]
impl ConnectionTrait for GroupCommitWriter {
    fn get_database_backend(&self) -> DbBackend {
        self.connection.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let Some(queue) = &self.queue else { return self.connection.execute_raw(statement).await };
        let (answer, mut result) = oneshot::channel();
        let is_settled = Arc::new(AtomicBool::new(false));
        // Nobody works at it: the program ends, or the statement has panicked.
        let closed = || DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed);
        let waiting = QueuedStatement { statement, claimed: Arc::clone(&is_settled), answer };
        queue.send(waiting).map_err(|_| closed())?;
        match timeout(ACQUIRE_TIMEOUT, &mut result).await {
            Ok(answer) => answer,
            // It is being run.
            Err(_) if is_settled.swap(true, Ordering::SeqCst) => result.await,
            Err(_) => return Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)),
        }
        .map_err(|_| closed())?
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.connection.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.connection.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.connection.query_all_raw(statement).await
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::pin::pin;
    use std::task::Poll;

    use futures_util::poll;
    use sea_orm::{ConnectOptions, Value};

    use super::*;

    struct Directory(PathBuf);

    impl Directory {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("accountd-writer-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).ok();
        }
    }

    async fn writer(directory: &Path) -> GroupCommitWriter {
        let mut options = ConnectOptions::new(format!("sqlite:{}?mode=rwc", directory.join("db").display()));
        options.max_connections(1).sqlx_logging(false);
        let writer = GroupCommitWriter::for_sqlite(sea_orm::Database::connect(options).await.unwrap());
        writer.execute_unprepared("PRAGMA journal_mode = WAL").await.unwrap();
        writer.execute_unprepared("CREATE TABLE note (number INTEGER UNIQUE)").await.unwrap();
        writer
    }

    async fn add(writer: &GroupCommitWriter, number: impl Into<Value>) -> Result<u64, DbErr> {
        let sql = "INSERT INTO note VALUES (?)";
        let statement = Statement::from_sql_and_values(DbBackend::Sqlite, sql, [number.into()]);
        writer.execute_raw(statement).await.map(|result| result.rows_affected())
    }

    async fn count(writer: &GroupCommitWriter) -> usize {
        let all = Statement::from_sql_and_values(DbBackend::Sqlite, "SELECT number FROM note", []);
        writer.query_all_raw(all).await.unwrap().len()
    }

    /// Bytes that were logged; each commit adds a page or more.
    fn logged(directory: &Directory) -> u64 {
        std::fs::metadata(directory.0.join("db-wal")).unwrap().len()
    }

    #[tokio::test]
    async fn concurrent_statements_share_one_commit() {
        let directory = Directory::new("together");
        let writer = writer(&directory.0).await;
        let alone = {
            let before = logged(&directory);
            add(&writer, 0).await.unwrap();
            logged(&directory) - before
        };
        let before = logged(&directory);
        let held = writer.begin().await.unwrap();
        let all = join_all((1..=20).map(|number| add(&writer, number)));
        let mut all = pin!(all);
        assert!(poll!(&mut all).is_pending());
        held.rollback().await.unwrap();
        assert!(all.await.into_iter().all(|result| result.unwrap() == 1));
        // The first may have gone ahead of the others.
        assert!(logged(&directory) - before <= alone * 2, "{} of {alone}", logged(&directory) - before);
        assert_eq!(count(&writer).await, 21);
    }

    /// What breaks a rule is committed around; beside what cannot be run at all the others run alone.
    #[tokio::test]
    async fn failed_statement_does_not_fail_its_batch() {
        let directory = Directory::new("fails");
        let writer = writer(&directory.0).await;
        for (round, fails) in ["INSERT INTO note VALUES (?)", "INSERT INTO nothing VALUES (?)"].into_iter().enumerate()
        {
            let first = i64::try_from(round * 10).unwrap();
            let before = logged(&directory);
            let held = writer.begin().await.unwrap();
            let numbers = [first, first + 1, first + 1, first + 2, first + 3, first + 4];
            let all = join_all(numbers.into_iter().enumerate().map(|(place, number)| {
                let sql = if place == 2 { fails } else { "INSERT INTO note VALUES (?)" };
                let statement = Statement::from_sql_and_values(DbBackend::Sqlite, sql, [number.into()]);
                writer.execute_raw(statement)
            }));
            let mut all = pin!(all);
            assert!(poll!(&mut all).is_pending());
            held.rollback().await.unwrap();
            let failed: Vec<bool> = all.await.into_iter().map(|result| result.is_err()).collect();
            assert_eq!(failed, [false, false, true, false, false, false]);
            assert_eq!(count(&writer).await, 5 * (round + 1));
            if round == 0 {
                // Two pages each: the table and its index.
                assert!(logged(&directory) - before < 5 * 2 * 4_096, "one commit each");
            }
        }
    }

    /// A value that the driver panics at.
    #[tokio::test]
    async fn panicking_statement_does_not_stop_the_writer() {
        let directory = Directory::new("panic");
        let writer = writer(&directory.0).await;
        let failed = add(&writer, u64::MAX).await;
        assert!(matches!(failed, Err(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed))), "{failed:?}");
        assert_eq!(add(&writer, 1).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn cancelled_or_timed_out_statement_is_not_run() {
        let directory = Directory::new("gone");
        let writer = writer(&directory.0).await;
        let held = writer.begin().await.unwrap();
        // It is taken at once, and waits for the connection.
        let mut first = pin!(add(&writer, 1));
        assert!(poll!(&mut first).is_pending());
        tokio::task::yield_now().await;
        {
            let mut gone = pin!(add(&writer, 2));
            assert!(poll!(&mut gone).is_pending());
        }
        let error = add(&writer, 3).await;
        assert!(matches!(error, Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))), "{error:?}");
        assert!(matches!(poll!(&mut first), Poll::Pending));
        held.rollback().await.unwrap();
        assert_eq!(first.await.unwrap(), 1);
        assert_eq!(add(&writer, 4).await.unwrap(), 1);
        assert_eq!(count(&writer).await, 2);
    }
}
