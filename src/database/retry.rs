//! Repeats transactions that the database rolled back because of a conflict. This includes single statements: if
//! several wait to insert a row that is being deleted, MySQL ends all but one as a deadlock.

use sea_orm::{DbErr, RuntimeErr};

use super::pool::Database;
use crate::error::{Error, Result};

/// Repetitions of a transaction.
const MAX_RETRIES: usize = 3;

impl Database {
    /// Runs `work`, one transaction or one statement, and repeats it up to three times after a conflict (a deadlock, a
    /// serialization failure).
    ///
    /// # Errors
    /// Those of `work`; [`Error::ServerBusy`] if the last attempt conflicts, too (promise R9).
    pub async fn retry<T, F>(&self, work: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        for _ in 0..MAX_RETRIES {
            // Boxed: the futures of a request nest deeply.
            match Box::pin(work()).await {
                Err(error) if is_conflict(&error) => {
                    tracing::debug!(cause = format!("{error:#}"), "repeating a transaction after a conflict");
                }
                done => return done,
            }
        }
        match Box::pin(work()).await {
            Err(error) if is_conflict(&error) => Err(Error::ServerBusy { retry_after: 1 }),
            done => done,
        }
    }
}

/// Whether the database rolled back a transaction in favour of another one.
fn is_conflict(error: &Error) -> bool {
    let Error::Internal(cause) = error else { return false };
    let Some(DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause))) =
        cause.downcast_ref::<DbErr>()
    else {
        return false;
    };
    let Some(error) = cause.as_database_error() else { return false };
    // SQLSTATE class 40 is "transaction rollback": serialization failures and deadlocks, on PostgreSQL and MySQL alike.
    error.code().is_some_and(|code| code.starts_with("40") && code.len() == 5)
}
