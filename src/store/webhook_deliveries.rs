//! Messages to others that are not told yet.

use chrono::{DateTime, Utc};
use entity::timestamp::Timestamp;
use entity::webhook_delivery;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};

use crate::error::Result;

/// Adds messages.
pub async fn insert(db: &impl ConnectionTrait, rows: Vec<webhook_delivery::ActiveModel>) -> Result<()> {
    if !rows.is_empty() {
        webhook_delivery::Entity::insert_many(rows).exec_without_returning(db).await?;
    }
    Ok(())
}

/// The messages for an endpoint that are due at `now`, those that wait longest in front.
pub async fn list_due(
    db: &impl ConnectionTrait,
    endpoint: &str,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<webhook_delivery::Model>> {
    Ok(webhook_delivery::Entity::find()
        .filter(webhook_delivery::Column::Endpoint.eq(endpoint))
        .filter(webhook_delivery::Column::GivenUpAt.is_null())
        .filter(webhook_delivery::Column::DueAt.lte(Timestamp::from(now)))
        .order_by_asc(webhook_delivery::Column::DueAt)
        .order_by_asc(webhook_delivery::Column::Id)
        .limit(limit)
        .all(db)
        .await?)
}

/// Counts an attempt at a message that is as it was read, and keeps others from it until `lost_at`. False if somebody
/// else was faster.
pub async fn update_claimed(
    db: &impl ConnectionTrait,
    read: &webhook_delivery::Model,
    lost_at: DateTime<Utc>,
) -> Result<bool> {
    let row = webhook_delivery::ActiveModel {
        attempts: Set(read.attempts + 1),
        due_at: Set(lost_at.into()),
        ..Default::default()
    };
    let updated = webhook_delivery::Entity::update_many()
        .set(row)
        .filter(webhook_delivery::Column::Id.eq(read.id))
        .filter(webhook_delivery::Column::Attempts.eq(read.attempts))
        .filter(webhook_delivery::Column::GivenUpAt.is_null())
        .exec(db)
        .await?;
    Ok(updated.rows_affected == 1)
}

/// Notes that the attempt with this number came to nothing, and when the next one is or that there is none.
pub async fn update_failed(
    db: &impl ConnectionTrait,
    (id, attempts): (i64, i32),
    failure: &str,
    next_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<()> {
    let row = webhook_delivery::ActiveModel {
        failure: Set(Some(failure.to_owned())),
        due_at: Set(next_at.unwrap_or(now).into()),
        given_up_at: Set(if next_at.is_none() { Some(now.into()) } else { None }),
        ..Default::default()
    };
    webhook_delivery::Entity::update_many()
        .set(row)
        .filter(webhook_delivery::Column::Id.eq(id))
        .filter(webhook_delivery::Column::Attempts.eq(attempts))
        .exec(db)
        .await?;
    Ok(())
}

/// Forgets a message that was told.
pub async fn delete(db: &impl ConnectionTrait, id: i64) -> Result<()> {
    webhook_delivery::Entity::delete_by_id(id).exec(db).await?;
    Ok(())
}

/// Forgets messages that were made before `past`: those that were given up, and those for endpoints that are gone.
pub async fn delete_created_before(db: &impl ConnectionTrait, past: DateTime<Utc>) -> Result<()> {
    webhook_delivery::Entity::delete_many()
        .filter(webhook_delivery::Column::CreatedAt.lt(Timestamp::from(past)))
        .exec(db)
        .await?;
    Ok(())
}
