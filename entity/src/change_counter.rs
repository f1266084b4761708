//! Table `change_counter`: number of changes per bucket of users.

use sea_orm::entity::prelude::*;

/// Incremented by every change, in the same transaction, and read by every node: a node that finds a higher count
/// invalidates its cache entries of the bucket.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "change_counter")]
pub struct Model {
    /// Number of the bucket: 0 to 255 by user id, 256 for all users.
    #[sea_orm(primary_key, auto_increment = false)]
    pub slot: i32,
    /// Number of changes so far.
    pub changes: i64,
}

/// No relations: a bucket has no row.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
