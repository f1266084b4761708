//! The record of what happened to accounts.

use entity::audit_event;
use sea_orm::{ActiveModelTrait, ConnectionTrait};

use crate::error::Result;

/// Adds an event.
pub async fn insert(db: &impl ConnectionTrait, event: audit_event::ActiveModel) -> Result<()> {
    event.insert(db).await?;
    Ok(())
}
