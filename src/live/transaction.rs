//! Transactions that tell whom their changes concern.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

use sea_orm::prelude::async_trait::async_trait;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement};

use super::ledger::Ledger;
use crate::error::{Error, Result};
use crate::store::change_counters;
use crate::store::{Reach, Touched, Writes};

/// A transaction that writes. Dropped, it is taken back.
pub struct Transaction {
    tx: DatabaseTransaction,
    ledger: Ledger,
    changes: Mutex<Vec<(Touched, Reach)>>,
}

impl Transaction {
    /// Takes note of the changes that are made in `tx`.
    pub fn new(tx: DatabaseTransaction, ledger: Ledger) -> Self {
        Self { tx, ledger, changes: Mutex::default() }
    }

    /// Commits: from here on every request of this process sees the changes.
    ///
    /// # Errors
    /// Internal ones only.
    pub async fn commit(self) -> Result<()> {
        let Self { tx, ledger, changes } = self;
        let changes = changes.into_inner().unwrap_or_else(PoisonError::into_inner);
        if changes.is_empty() {
            return Ok(tx.commit().await?);
        }
        let told = changes.iter().filter(|(_, reach)| *reach == Reach::Nodes);
        let slots: BTreeSet<i32> = told.map(|(touched, _)| touched.slot()).collect();
        // Boxed: the futures of a request nest deeply.
        Box::pin(change_counters::raise(&tx, slots.clone())).await?;
        // A task of its own: a client that goes away must not come between the commit and the note of it.
        let committing = tokio::spawn(async move {
            let _pending = ledger.pend(slots);
            let committed = tx.commit().await;
            // Whatever is known of it: a commit whose answer was lost may have been made.
            ledger.note(&changes);
            committed
        });
        Ok(committing.await.map_err(Error::internal)??)
    }
}

impl Writes for Transaction {
    fn touch(&self, touched: Touched, reach: Reach) {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).push((touched, reach));
    }
}

impl Deref for Transaction {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.tx
    }
}

#[async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        self.tx.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.tx.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.tx.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.tx.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.tx.query_all_raw(statement).await
    }
}
