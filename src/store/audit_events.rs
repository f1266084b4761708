//! Audit log.

use entity::audit_event::{self, Outcome};
use entity::timestamp::Timestamp;
use sea_orm::{ConnectionTrait, EntityTrait, Set};
use uuid::Uuid;

use crate::error::Result;

/// An event to add.
#[derive(Debug)]
pub struct NewRow {
    /// Public id.
    pub uid: Uuid,
    /// Time of the event.
    pub at: Timestamp,
    /// Row id of the tenant.
    pub tenant_id: Option<i64>,
    /// Name of the action.
    pub action: &'static str,
    /// Whether it succeeded.
    pub outcome: Outcome,
    /// Public id of the acting user.
    pub actor_uid: Option<Uuid>,
    /// Public id of the affected user or object.
    pub target_uid: Option<Uuid>,
    /// Public id of the session.
    pub session_uid: Option<Uuid>,
    /// Client address.
    pub address: Option<String>,
    /// User agent of the client.
    pub user_agent: Option<String>,
    /// Id of the request.
    pub request_id: String,
    /// Details as a JSON object.
    pub details: Option<String>,
}

impl From<NewRow> for audit_event::ActiveModel {
    fn from(new: NewRow) -> Self {
        Self {
            uid: Set(new.uid),
            at: Set(new.at),
            tenant_id: Set(new.tenant_id),
            action: Set(new.action.to_owned()),
            outcome: Set(new.outcome),
            actor_uid: Set(new.actor_uid),
            target_uid: Set(new.target_uid),
            session_uid: Set(new.session_uid),
            address: Set(new.address),
            user_agent: Set(new.user_agent),
            request_id: Set(Some(new.request_id)),
            details: Set(new.details),
            ..Default::default()
        }
    }
}

/// Adds an event.
pub async fn insert(db: &impl ConnectionTrait, event: NewRow) -> Result<()> {
    audit_event::Entity::insert(audit_event::ActiveModel::from(event)).exec_without_returning(db).await?;
    Ok(())
}
