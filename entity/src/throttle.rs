//! Table `throttle`: counters of failed password attempts.

use sea_orm::entity::prelude::*;

use crate::timestamp::Timestamp;

/// Consecutive failures of a subject: a user, its known devices, or one of its sessions.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "throttle")]
pub struct Model {
    /// Key of the subject, such as `user:1`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject: String,
    /// Consecutive failures.
    pub failures: i32,
    /// Attempts in progress.
    pub pending: i32,
    /// End of the wait before the next attempt.
    pub blocked_until: Timestamp,
    /// Time of the last update.
    pub updated_at: Timestamp,
}

/// No relations: not every subject is a user.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
