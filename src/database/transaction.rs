//! Transactions that tell whom their changes concern.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

use sea_orm::prelude::async_trait::async_trait;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement};

use crate::cache::invalidation_log::InvalidationLog;
use crate::error::{Error, Result};
use crate::store::change_counters;
use crate::store::{Affected, Propagation, TracksChanges};

/// A transaction that writes. Dropped, it is taken back.
pub struct Transaction {
    tx: DatabaseTransaction,
    invalidations: InvalidationLog,
    changes: Mutex<Vec<(Affected, Propagation)>>,
}

impl Transaction {
    /// Takes note of the changes that are made in `tx`.
    pub fn new(tx: DatabaseTransaction, invalidations: InvalidationLog) -> Self {
        Self { tx, invalidations, changes: Mutex::default() }
    }

    /// Commits: from here on every request of this process sees the changes.
    ///
    /// # Errors
    /// Internal ones only.
    pub async fn commit(self) -> Result<()> {
        let Self { tx, invalidations, changes } = self;
        let changes = changes.into_inner().unwrap_or_else(PoisonError::into_inner);
        if changes.is_empty() {
            return Ok(tx.commit().await?);
        }
        let announced = changes.iter().filter(|(_, reach)| *reach == Propagation::AllNodes);
        let buckets: BTreeSet<i32> = announced.map(|(touched, _)| touched.bucket()).collect();
        // Boxed: the futures of a request nest deeply.
        Box::pin(change_counters::increment(&tx, buckets.clone())).await?;
        // A task of its own: a client that goes away must not come between the commit and the note of it.
        let committing = tokio::spawn(async move {
            let _guard = invalidations.begin_commit(buckets);
            let committed = tx.commit().await;
            // Whatever is known of it: a commit whose answer was lost may have been made.
            invalidations.record(&changes);
            committed
        });
        Ok(committing.await.map_err(Error::internal)??)
    }
}

impl TracksChanges for Transaction {
    fn mark_changed(&self, affected: Affected, propagation: Propagation) {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).push((affected, propagation));
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
