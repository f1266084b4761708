//! Table `webhook_delivery`: queue of webhook messages, until delivered or given up.

use sea_orm::entity::prelude::*;

use crate::timestamp::Timestamp;

/// A message for one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_delivery")]
pub struct Model {
    /// Row id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Id of the message, the same for all endpoints and attempts.
    pub uid: Uuid,
    /// Name of the endpoint in the settings.
    pub endpoint: String,
    /// The message body as sent.
    pub payload: String,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of the next attempt; during an attempt, the time when its claim expires.
    pub due_at: Timestamp,
    /// Attempts so far, including one in progress.
    pub attempts: i32,
    /// Error of the last attempt.
    pub failure: Option<String>,
    /// Time when delivery was given up.
    pub given_up_at: Option<Timestamp>,
}

/// No relations: a message outlives its user.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
