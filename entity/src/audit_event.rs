//! Table `audit_event`: who did what to whom, and how it went.

use sea_orm::entity::prelude::*;

use crate::timestamp::Timestamp;

/// One recorded act. It names others by public id, because it outlives what it speaks of.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_event")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sea_orm(unique)]
    pub uid: Uuid,
    pub at: Timestamp,
    pub tenant_id: Option<i64>,
    pub action: String,
    pub outcome: Outcome,
    pub actor_uid: Option<Uuid>,
    pub target_uid: Option<Uuid>,
    pub session_uid: Option<Uuid>,
    pub address: Option<String>,
    pub user_agent: Option<String>,
    pub request_id: Option<String>,
    /// JSON text, written and read by the program only.
    #[sea_orm(column_type = "Text", nullable)]
    pub details: Option<String>,
}

/// How an act went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)")]
pub enum Outcome {
    #[sea_orm(string_value = "SUCCESS")]
    Success,
    #[sea_orm(string_value = "DENIED")]
    Denied,
    #[sea_orm(string_value = "FAILED")]
    Failed,
}

/// None: an act stays on record when its actor, target or tenant is gone.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
