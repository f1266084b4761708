//! Group commit for single statements on the embedded database: statements that arrive concurrently share one commit,
//! because there is one writer and each commit waits for the disk.

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

use super::session_limits::ACQUIRE_TIMEOUT;
use crate::error::is_database_busy;

#[cfg(test)]
mod tests;

/// Maximum statements per commit.
const MAX_BATCH: usize = 64;

/// A write connection.
pub struct GroupCommitWriter {
    connection: DatabaseConnection,
    /// Queue of the embedded database's worker.
    queue: Option<mpsc::UnboundedSender<QueuedStatement>>,
}

/// A statement whose caller waits.
struct QueuedStatement {
    statement: Statement,
    /// Set by the side that comes first: the worker that runs the statement, or the caller at its timeout.
    claimed: Arc<AtomicBool>,
    answer: oneshot::Sender<Result<ExecResult, DbErr>>,
}

impl GroupCommitWriter {
    /// For a server, which groups the commits of many connections itself.
    pub(super) fn for_server(connection: DatabaseConnection) -> Self {
        Self { connection, queue: None }
    }

    /// For the embedded database. Must be called within a runtime.
    pub(super) fn for_sqlite(connection: DatabaseConnection) -> Self {
        let (queue, waiting) = mpsc::unbounded_channel();
        tokio::spawn(run_worker(connection.clone(), waiting));
        Self { connection, queue: Some(queue) }
    }
}

/// Runs queued statements in batches: those that arrive during a commit form the next batch.
async fn run_worker(connection: DatabaseConnection, mut waiting: mpsc::UnboundedReceiver<QueuedStatement>) {
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, MAX_BATCH).await > 0 {
        let (statements, answers): (Vec<_>, Vec<_>) = batch.drain(..).filter_map(claim).unzip();
        // The drivers panic at values that a database cannot hold; the panic only affects this batch.
        let Ok(results) = AssertUnwindSafe(run_batch(&connection, statements)).catch_unwind().await else {
            tracing::error!("a statement panicked");
            continue;
        };
        for (answer, result) in answers.into_iter().zip(results) {
            // A caller that has gone away does not undo its statement.
            answer.send(result).ok();
        }
    }
}

/// The statement, unless its caller has gone away or timed out.
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
            // Nothing was committed: each statement runs again alone, and reports its own error.
            Err(cause) => tracing::debug!(%cause, "running the statements of a failed batch one by one"),
        }
    }
    join_all(statements.into_iter().map(|statement| connection.execute_raw(statement))).await
}

/// Begins a transaction that takes SQLite's write lock at once.
async fn begin(connection: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let sqlite_transaction_mode = Some(SqliteTransactionMode::Immediate);
    connection.begin_with_options(TransactionOptions { sqlite_transaction_mode, ..TransactionOptions::default() }).await
}

/// The results when nothing can be written now: the first has the cause, the others report a timeout or a closed
/// connection. Retrying each would multiply the wait.
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
            // A violated constraint rolls back its own statement only (<https://sqlite.org/lang_conflict.html>).
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

/// Statements that return rows use the connection directly, without the queue.
#[async_trait]
impl ConnectionTrait for GroupCommitWriter {
    fn get_database_backend(&self) -> DbBackend {
        self.connection.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        let Some(queue) = &self.queue else { return self.connection.execute_raw(statement).await };
        let (answer, mut result) = oneshot::channel();
        let is_settled = Arc::new(AtomicBool::new(false));
        // The worker has ended: at shutdown, or after a panic of the statement.
        let closed = || DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed);
        let waiting = QueuedStatement { statement, claimed: Arc::clone(&is_settled), answer };
        queue.send(waiting).map_err(|_| closed())?;
        match timeout(ACQUIRE_TIMEOUT, &mut result).await {
            Ok(answer) => answer,
            // The worker is running it.
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
