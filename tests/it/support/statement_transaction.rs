//! A transaction for tests of single statements, which publishes no revocation.

use std::ops::Deref;

use accountd::database::transaction::Transaction;
use accountd::store::cut_offs::CutOff;
use accountd::store::{Affected, Propagation, TracksChanges, TracksRevocations};
use sea_orm::prelude::async_trait::async_trait;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement};

/// The connection of revoking statements.
pub struct StatementTransaction(pub Transaction);

impl TracksChanges for StatementTransaction {
    fn mark_changed(&self, touched: Affected, reach: Propagation) {
        self.0.mark_changed(touched, reach);
    }
}

impl TracksRevocations for StatementTransaction {
    fn mark_revocations_changed(&self) {}
    fn mark_cut_off(&self, _: CutOff) {}
}

impl Deref for StatementTransaction {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.0
    }
}

#[async_trait]
impl ConnectionTrait for StatementTransaction {
    fn get_database_backend(&self) -> DbBackend {
        self.0.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.0.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.0.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.0.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.0.query_all_raw(statement).await
    }
}
