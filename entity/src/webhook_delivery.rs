//! Table `webhook_delivery`: what has to be told to somebody else, until it is told or given up.

use sea_orm::entity::prelude::*;

use crate::timestamp::Timestamp;

/// One message for one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_delivery")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The message's own name, the same for every endpoint and at every attempt.
    pub uid: Uuid,
    /// The endpoint's name in the settings.
    pub endpoint: String,
    /// The message, as it is sent.
    pub payload: String,
    pub created_at: Timestamp,
    /// No attempt before this; while an attempt is under way, when it is taken for lost.
    pub due_at: Timestamp,
    /// Attempts so far, the one under way among them.
    pub attempts: i32,
    /// Why the last attempt came to nothing.
    pub failure: Option<String>,
    pub given_up_at: Option<Timestamp>,
}

/// None: what happened stays true when its account is gone.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
