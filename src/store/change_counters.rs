//! How often something has changed about whom: what nodes on one database tell each other by.

use std::collections::BTreeSet;

use entity::change_counter;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set};

use crate::error::Result;

/// Groups of users that have a counter each.
pub const BUCKETS: i64 = 256;

/// The slot of what concerns everybody.
pub const ALL_USERS_BUCKET: i32 = 256;

/// Whom a change concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Affected {
    /// The user with this number.
    User(i64),
    /// Everybody, or nobody knows whom.
    AllUsers,
}

impl Affected {
    /// The counter that tells of it.
    pub fn bucket(self) -> i32 {
        match self {
            Self::User(id) => i32::try_from(id.rem_euclid(BUCKETS)).unwrap_or(ALL_USERS_BUCKET),
            Self::AllUsers => ALL_USERS_BUCKET,
        }
    }
}

/// Who has to look again after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    /// Every node: what it knew may not be true any more.
    AllNodes,
    /// Only this one: others are right about everything that decides, and see the rest within a minute.
    ThisNode,
}

/// A transaction that takes note of whom its changes concern, and tells it with its commit. Statements that change
/// what a caller is, or may do, run on nothing else, so that no use case can forget to tell.
pub trait TracksChanges: ConnectionTrait {
    /// Takes note.
    fn mark_changed(&self, touched: Affected, reach: Propagation);
}

/// Every counter.
pub async fn list(db: &impl ConnectionTrait) -> Result<Vec<change_counter::Model>> {
    Ok(change_counter::Entity::find().all(db).await?)
}

/// Raises the counters of these slots. They stay locked until the transaction ends, so this comes last, and in the
/// same order everywhere.
pub async fn increment(db: &impl ConnectionTrait, slots: BTreeSet<i32>) -> Result<()> {
    for slot in slots {
        let raised = change_counter::Entity::update_many()
            .col_expr(change_counter::Column::Changes, Expr::col(change_counter::Column::Changes).add(1))
            .filter(change_counter::Column::Slot.eq(slot))
            .exec(db)
            .await?;
        if raised.rows_affected == 0 {
            // Somebody has emptied the table by hand.
            change_counter::ActiveModel { slot: Set(slot), changes: Set(1) }.insert(db).await?;
        }
    }
    Ok(())
}
