//! Exclusive transactions: work that one of several processes does for all, such as migrations.

use std::ops::Deref;
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, Statement};

use super::pool::Database;
use super::session_limits::{IDLE_TIMEOUT, STATEMENT_TIMEOUT, mysql_session_limits};
use crate::error::{Error, Result};

/// Time that a process waits for another one's exclusive transaction.
const EXCLUSIVE_LOCK_TIMEOUT: Duration = Duration::from_secs(600);

/// Key of PostgreSQL's advisory lock, "accountd" in ASCII; advisory locks are per database.
const ADVISORY_LOCK_KEY: i64 = i64::from_be_bytes(*b"accountd");

impl Database {
    /// Begins an exclusive transaction: other processes on the same database wait here until it ends. For work that one
    /// node does for all, such as migrations.
    ///
    /// # Errors
    /// Internal errors, including a timeout after ten minutes.
    pub async fn begin_exclusive(&self) -> Result<Exclusive> {
        let deadline = Instant::now() + EXCLUSIVE_LOCK_TIMEOUT;
        let tx = loop {
            match self.begin_sql_transaction().await {
                // SQLite's busy timeout is shorter; its lock on the file is the exclusive lock.
                Err(Error::ServerBusy { .. }) if Instant::now() < deadline => {}
                begun => break begun?,
            }
        };
        match tx.get_database_backend() {
            DbBackend::Postgres => {
                // Time limits and lock end with the transaction, however it ends.
                tx.execute_unprepared("SET LOCAL statement_timeout = 0").await?;
                tx.execute_unprepared("SET LOCAL idle_in_transaction_session_timeout = 0").await?;
                let lock = "SELECT pg_advisory_xact_lock($1)";
                tx.execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, lock, [ADVISORY_LOCK_KEY.into()]))
                    .await?;
            }
            DbBackend::MySql => {
                tx.execute_unprepared(&mysql_session_limits(0, 0)).await?;
                // Its locks are server-wide, so the lock's name includes the database.
                let lock = "SELECT GET_LOCK(SHA1(CONCAT('accountd.', DATABASE())), ?) AS taken";
                let seconds = EXCLUSIVE_LOCK_TIMEOUT.as_secs();
                let lock = Statement::from_sql_and_values(DbBackend::MySql, lock, [seconds.into()]);
                let row = tx.query_one_raw(lock).await?;
                let taken = row.and_then(|row| row.try_get::<Option<i64>>("", "taken").ok().flatten());
                if taken != Some(1) {
                    return Err(Error::internal(
                        "another process has locked the database for ten minutes: retry later",
                    ));
                }
            }
            _ => {}
        }
        Ok(Exclusive(tx))
    }
}

/// An exclusive transaction.
pub struct Exclusive(DatabaseTransaction);

impl Exclusive {
    /// Commits and releases the lock.
    pub async fn commit(self) -> Result<()> {
        if self.0.get_database_backend() == DbBackend::MySql {
            // MySQL's lock outlasts the transaction, and the next process must see the committed changes.
            let committed = self.0.execute_unprepared("COMMIT").await;
            self.release_lock().await?;
            committed?;
        }
        Ok(self.0.commit().await?)
    }

    /// Rolls back what the database can roll back (MySQL commits each schema change by itself), and releases the lock.
    pub async fn rollback(self) -> Result<()> {
        self.release_lock().await?;
        Ok(self.0.rollback().await?)
    }

    /// Resets MySQL's lock and limits, which belong to the pooled connection.
    async fn release_lock(&self) -> Result<()> {
        if self.0.get_database_backend() == DbBackend::MySql {
            self.0.execute_unprepared(&mysql_session_limits(STATEMENT_TIMEOUT, IDLE_TIMEOUT)).await?;
            self.0.execute_unprepared("DO RELEASE_LOCK(SHA1(CONCAT('accountd.', DATABASE())))").await?;
        }
        Ok(())
    }
}

impl Deref for Exclusive {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.0
    }
}
