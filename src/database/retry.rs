//! Transactions that the database gave up in favour of others are done again. A single statement is one, too: of several
//! that wait to insert a row which is just being deleted, MySQL lets one go on and ends the others as a deadlock.

use sea_orm::{DbErr, RuntimeErr};

use super::Database;
use crate::error::{Error, Result};

/// How often a transaction is done again.
const MAX_RETRIES: usize = 3;

impl Database {
    /// Does `work`, which is one transaction or one statement, and does it again if the database gave it up in favour
    /// of another one (a deadlock, a serialisation failure): three times at most.
    ///
    /// # Errors
    /// Those of `work`; [`Error::Busy`] if the last time, too, others came first (promise R9).
    pub async fn retry<T, F>(&self, work: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        for _ in 0..MAX_RETRIES {
            // Boxed: the futures of a request nest deeply.
            match Box::pin(work()).await {
                Err(error) if is_conflict(&error) => {
                    tracing::debug!(cause = format!("{error:#}"), "a transaction is done again");
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

/// Whether the database took a transaction back in favour of another one.
fn is_conflict(error: &Error) -> bool {
    let Error::Internal(cause) = error else { return false };
    let Some(DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause))) =
        cause.downcast_ref::<DbErr>()
    else {
        return false;
    };
    let Some(error) = cause.as_database_error() else { return false };
    // SQLSTATE class 40 is "transaction rollback": serialisation failures and deadlocks on PostgreSQL and MySQL alike.
    error.code().is_some_and(|code| code.starts_with("40") && code.len() == 5)
}
