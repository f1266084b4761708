//! Table `audit_event`: the audit log with actor, action, target and outcome.

use sea_orm::entity::prelude::*;

use crate::timestamp::Timestamp;

/// An audit event. It refers to rows by public id, because it outlives them.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_event")]
pub struct Model {
    /// Row id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Public id.
    #[sea_orm(unique)]
    pub uid: Uuid,
    /// Time of the event.
    pub at: Timestamp,
    /// Row id of the target's tenant, or else of the actor's.
    pub tenant_id: Option<i64>,
    /// Name of the action.
    pub action: String,
    /// Outcome of the action.
    pub outcome: Outcome,
    /// Public id of the acting user.
    pub actor_uid: Option<Uuid>,
    /// Public id of the affected user, role or tenant.
    pub target_uid: Option<Uuid>,
    /// Public id of the session used or affected.
    pub session_uid: Option<Uuid>,
    /// IP address of the client.
    pub address: Option<String>,
    /// `User-Agent` of the client.
    pub user_agent: Option<String>,
    /// Request id, as in the log.
    pub request_id: Option<String>,
    /// JSON object, written and read only by this program.
    #[sea_orm(column_type = "Text", nullable)]
    pub details: Option<String>,
}

/// Outcome of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)")]
pub enum Outcome {
    /// The action was done.
    #[sea_orm(string_value = "SUCCESS")]
    Success,
    /// The credentials were wrong.
    #[sea_orm(string_value = "FAILED")]
    Failed,
}

/// No relations: an event outlives its actor, target and tenant.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
