//! Audit log.

use entity::audit_event;
use sea_orm::{ConnectionTrait, EntityTrait};

use crate::error::Result;

/// Adds an event.
pub async fn insert(db: &impl ConnectionTrait, event: audit_event::ActiveModel) -> Result<()> {
    audit_event::Entity::insert(event).exec_without_returning(db).await?;
    Ok(())
}
