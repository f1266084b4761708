//! Change counters per bucket of users, by which nodes on one database invalidate each other's caches.

use std::collections::BTreeSet;

use entity::change_counter;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set};

use crate::error::Result;

/// Number of buckets of users; each has one counter.
pub const BUCKETS: i64 = 256;

/// Bucket of changes that affect all users.
pub const ALL_USERS_BUCKET: i32 = 256;

/// The users that a change affects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Affected {
    /// The user with this row id.
    User(i64),
    /// All users, or an unknown set.
    AllUsers,
}

impl Affected {
    /// The bucket whose counter records the change.
    pub fn bucket(self) -> i32 {
        match self {
            Self::User(id) => i32::try_from(id.rem_euclid(BUCKETS)).unwrap_or(ALL_USERS_BUCKET),
            Self::AllUsers => ALL_USERS_BUCKET,
        }
    }
}

/// The nodes whose caches a change invalidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    /// Every node.
    AllNodes,
    /// This node only: other caches stay correct for every decision, and show the rest within a minute.
    ThisNode,
}

/// A transaction that records which users its changes affect, and invalidates caches with its commit. Statements that
/// change a caller's identity or permissions require it, so that no use case can omit the invalidation.
pub trait TracksChanges: ConnectionTrait {
    /// Records a change.
    fn mark_changed(&self, affected: Affected, propagation: Propagation);
}

/// All counters.
pub async fn list(db: &impl ConnectionTrait) -> Result<Vec<change_counter::Model>> {
    Ok(change_counter::Entity::find().all(db).await?)
}

/// Increments the counters of these buckets. The rows stay locked until the transaction ends: call this last. The order
/// of the set prevents deadlocks.
pub async fn increment(db: &impl ConnectionTrait, buckets: BTreeSet<i32>) -> Result<()> {
    for bucket in buckets {
        let updated = change_counter::Entity::update_many()
            .col_expr(change_counter::Column::Changes, Expr::col(change_counter::Column::Changes).add(1))
            .filter(change_counter::Column::Slot.eq(bucket))
            .exec(db)
            .await?;
        if updated.rows_affected == 0 {
            // The table was emptied by hand.
            change_counter::ActiveModel { slot: Set(bucket), changes: Set(1) }.insert(db).await?;
        }
    }
    Ok(())
}
