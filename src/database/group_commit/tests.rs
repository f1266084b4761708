//! Group commit: shared commits, failures and cancelled statements.

use std::path::Path;
use std::pin::pin;
use std::task::Poll;

use futures_util::poll;
use sea_orm::{ConnectOptions, Value};
use tempfile::{TempDir, tempdir};

use super::*;

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

/// Size of the write-ahead log in bytes; each commit adds at least a page.
fn logged(directory: &TempDir) -> u64 {
    std::fs::metadata(directory.path().join("db-wal")).unwrap().len()
}

#[tokio::test]
async fn concurrent_statements_share_one_commit() {
    let directory = tempdir().unwrap();
    let writer = writer(directory.path()).await;
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
    // The first statement may have been committed alone.
    assert!(logged(&directory) - before <= alone * 2, "{} of {alone}", logged(&directory) - before);
    assert_eq!(count(&writer).await, 21);
}

/// A violated constraint stays in the shared commit; an invalid statement makes the others run alone.
#[tokio::test]
async fn failed_statement_does_not_fail_its_batch() {
    let directory = tempdir().unwrap();
    let writer = writer(directory.path()).await;
    for (round, fails) in ["INSERT INTO note VALUES (?)", "INSERT INTO nothing VALUES (?)"].into_iter().enumerate() {
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
            // Two pages per commit: the table and its index.
            assert!(logged(&directory) - before < 5 * 2 * 4_096, "one commit each");
        }
    }
}

/// With a value that makes the driver panic.
#[tokio::test]
async fn panicking_statement_does_not_stop_the_writer() {
    let directory = tempdir().unwrap();
    let writer = writer(directory.path()).await;
    let failed = add(&writer, u64::MAX).await;
    assert!(matches!(failed, Err(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed))), "{failed:?}");
    assert_eq!(add(&writer, 1).await.unwrap(), 1);
}

#[tokio::test]
async fn cancelled_or_timed_out_statement_is_not_run() {
    let directory = tempdir().unwrap();
    let writer = writer(directory.path()).await;
    let held = writer.begin().await.unwrap();
    // The worker takes it at once, and waits for the connection.
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
