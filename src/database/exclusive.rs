//! Transactions that run alone: what one of several processes on a database does for all of them.

use std::ops::Deref;
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, Statement};

use super::{Database, IDLE_TIMEOUT, STATEMENT_TIMEOUT, mysql_session_limits};
use crate::error::{Error, Result};

/// How long one process waits for another that keeps the database to itself.
const EXCLUSIVE_LOCK_TIMEOUT: Duration = Duration::from_secs(600);

/// The number of PostgreSQL's advisory lock for that, "accountd" in ASCII; databases do not share theirs.
const ADVISORY_LOCK_KEY: i64 = i64::from_be_bytes(*b"accountd");

impl Database {
    /// Begins a transaction that runs alone: of several processes on one database the others wait here until it ends.
    /// It is for what one node does for all of them, such as migrations.
    ///
    /// # Errors
    /// Internal ones only; among them that somebody else held the lock for ten minutes.
    pub async fn begin_exclusive(&self) -> Result<Exclusive> {
        let deadline = Instant::now() + EXCLUSIVE_LOCK_TIMEOUT;
        let tx = loop {
            match self.begin_sql_transaction().await {
                // SQLite's own patience is shorter; its lock on the file is the lock.
                Err(Error::ServerBusy { .. }) if Instant::now() < deadline => {}
                begun => break begun?,
            }
        };
        match tx.get_database_backend() {
            DbBackend::Postgres => {
                // Patience and lock go with the transaction, however that ends.
                tx.execute_unprepared("SET LOCAL statement_timeout = 0").await?;
                tx.execute_unprepared("SET LOCAL idle_in_transaction_session_timeout = 0").await?;
                let lock = "SELECT pg_advisory_xact_lock($1)";
                tx.execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, lock, [ADVISORY_LOCK_KEY.into()]))
                    .await?;
            }
            DbBackend::MySql => {
                tx.execute_unprepared(&mysql_session_limits(0, 0)).await?;
                // Its locks belong to the whole server, so the name tells the database.
                let lock = "SELECT GET_LOCK(SHA1(CONCAT('accountd.', DATABASE())), ?) AS taken";
                let seconds = EXCLUSIVE_LOCK_TIMEOUT.as_secs();
                let lock = Statement::from_sql_and_values(DbBackend::MySql, lock, [seconds.into()]);
                let row = tx.query_one_raw(lock).await?;
                let taken = row.and_then(|row| row.try_get::<Option<i64>>("", "taken").ok().flatten());
                if taken != Some(1) {
                    return Err(Error::internal("another process has kept the database to itself for ten minutes"));
                }
            }
            _ => {}
        }
        Ok(Exclusive(tx))
    }
}

/// A transaction that no other process's of this kind overlaps.
pub struct Exclusive(DatabaseTransaction);

impl Exclusive {
    /// Commits, and lets the next one begin.
    ///
    /// # Errors
    /// Internal ones only.
    pub async fn commit(self) -> Result<()> {
        if self.0.get_database_backend() == DbBackend::MySql {
            // Its lock does not end with the transaction, and whoever waits for it has to see what was done.
            let committed = self.0.execute_unprepared("COMMIT").await;
            self.release_lock().await?;
            committed?;
        }
        Ok(self.0.commit().await?)
    }

    /// Takes back what the database can take back (MySQL commits each change of the schema by itself), and lets the
    /// next one begin.
    ///
    /// # Errors
    /// Internal ones only.
    pub async fn rollback(self) -> Result<()> {
        self.release_lock().await?;
        Ok(self.0.rollback().await?)
    }

    /// MySQL's lock and limits belong to the connection, which goes back to the pool.
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
