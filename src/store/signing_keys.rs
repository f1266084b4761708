//! Signing keys, encrypted.

use chrono::{DateTime, Utc};
use entity::signing_key;
use entity::timestamp::Timestamp;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
};

use crate::error::Result;

/// The keys that are not retired at `now`, most recently activated first.
pub async fn list(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<Vec<signing_key::Model>> {
    Ok(signing_key::Entity::find()
        .filter(
            Condition::any()
                .add(signing_key::Column::RetireAt.is_null())
                .add(signing_key::Column::RetireAt.gt(Timestamp::from(now))),
        )
        .order_by_desc(signing_key::Column::ActiveFrom)
        .order_by_asc(signing_key::Column::Kid)
        .all(db)
        .await?)
}

/// Adds a key.
pub async fn insert(db: &impl ConnectionTrait, key: signing_key::Model) -> Result<()> {
    key.into_active_model().reset_all().insert(db).await?;
    Ok(())
}
