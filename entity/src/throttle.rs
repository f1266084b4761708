//! Table `throttle`: how often a password was guessed wrong.

use sea_orm::entity::prelude::*;

use crate::timestamp::Timestamp;

/// The failures in a row of one subject: an account, its known devices, or one of its sessions.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "throttle")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject: String,
    pub failures: i32,
    /// Attempts under way, which have not failed yet.
    pub pending: i32,
    pub blocked_until: Timestamp,
    pub updated_at: Timestamp,
}

/// None: subjects are not only accounts.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
