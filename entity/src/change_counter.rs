//! Table `change_counter`: how often something about a group of users has changed.

use sea_orm::entity::prelude::*;

/// Raised with every change, in the change's own transaction, and read by every node: a node that finds it raised
/// forgets what it knew of the group.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "change_counter")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub slot: i32,
    pub changes: i64,
}

/// None: a group is no row.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
