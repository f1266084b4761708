//! Transactions that record which users their changes affect.

use std::collections::BTreeSet;
use std::ops::Deref;

use parking_lot::Mutex;
use sea_orm::prelude::async_trait::async_trait;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement};

use crate::cache::InvalidationLog;
use crate::error::{Error, Result};
use crate::store::change_counters;
use crate::store::{Affected, Propagation, TracksChanges};

/// A write transaction. Dropped without commit, it rolls back.
pub struct Transaction {
    tx: DatabaseTransaction,
    invalidations: InvalidationLog,
    changes: Mutex<Vec<(Affected, Propagation)>>,
}

impl Transaction {
    /// Records the changes that are made in `tx`.
    pub fn new(tx: DatabaseTransaction, invalidations: InvalidationLog) -> Self {
        Self { tx, invalidations, changes: Mutex::default() }
    }

    /// Commits: from here on every request of this process sees the changes.
    pub async fn commit(self) -> Result<()> {
        let Self { tx, invalidations, changes } = self;
        let changes = changes.into_inner();
        if changes.is_empty() {
            return Ok(tx.commit().await?);
        }
        let announced = changes.iter().filter(|(_, propagation)| *propagation == Propagation::AllNodes);
        let buckets: BTreeSet<i32> = announced.map(|(affected, _)| affected.bucket()).collect();
        // Boxed: a request's futures nest deeply.
        Box::pin(change_counters::increment(&tx, buckets.clone())).await?;
        // A task of its own: a client that disconnects must not cancel between the commit and its record.
        let committing = tokio::spawn(async move {
            let _guard = invalidations.begin_commit(buckets);
            let committed = tx.commit().await;
            // Whatever the result: a commit whose acknowledgement was lost may have succeeded.
            invalidations.record(&changes);
            committed
        });
        Ok(committing.await.map_err(Error::internal)??)
    }
}

impl TracksChanges for Transaction {
    fn mark_changed(&self, affected: Affected, propagation: Propagation) {
        self.changes.lock().push((affected, propagation));
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
