//! A transaction for tests of single statements, which publishes nothing.

use std::ops::Deref;

use accountd::app::database::Transaction;
use accountd::store::cut_offs::CutOff;
use accountd::store::{Reach, Revokes, Touched, Writes};
use sea_orm::prelude::async_trait::async_trait;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement};

/// What statements run on that revoke something.
pub struct Revoking(pub Transaction);

impl Writes for Revoking {
    fn touch(&self, touched: Touched, reach: Reach) {
        self.0.touch(touched, reach);
    }
}

impl Revokes for Revoking {
    fn mark_revocation(&self) {}
    fn mark_cut_off(&self, _: CutOff) {}
}

impl Deref for Revoking {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.0
    }
}

#[async_trait]
impl ConnectionTrait for Revoking {
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
