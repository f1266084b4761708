//! Queue of webhook messages that are not delivered yet.

use chrono::{DateTime, Utc};
use entity::timestamp::Timestamp;
use entity::webhook_delivery;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use uuid::Uuid;

use super::updated_row::updated_row;
use crate::error::Result;

/// A message to add.
#[derive(Debug)]
pub struct NewRow {
    /// Public id.
    pub uid: Uuid,
    /// Name of the endpoint.
    pub endpoint: String,
    /// Body of the message.
    pub payload: String,
    /// Time of creation, at which it is due.
    pub created_at: Timestamp,
}

impl From<NewRow> for webhook_delivery::ActiveModel {
    fn from(new: NewRow) -> Self {
        Self {
            uid: Set(new.uid),
            endpoint: Set(new.endpoint),
            payload: Set(new.payload),
            created_at: Set(new.created_at),
            due_at: Set(new.created_at),
            attempts: Set(0),
            failure: Set(None),
            given_up_at: Set(None),
            ..Default::default()
        }
    }
}

/// Adds messages.
pub async fn insert(db: &impl ConnectionTrait, rows: Vec<NewRow>) -> Result<()> {
    if !rows.is_empty() {
        let rows = rows.into_iter().map(webhook_delivery::ActiveModel::from);
        webhook_delivery::Entity::insert_many(rows).exec_without_returning(db).await?;
    }
    Ok(())
}

/// At most `limit` messages for an endpoint that are due at `now`, longest due first.
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

/// Claims an unchanged message until `claim_expires_at` and counts the attempt. Returns the updated row, or `None` if
/// another node claimed it first.
pub async fn update_claimed(
    db: &impl ConnectionTrait,
    read: &webhook_delivery::Model,
    claim_expires_at: DateTime<Utc>,
) -> Result<Option<webhook_delivery::Model>> {
    let row = webhook_delivery::ActiveModel {
        attempts: Set(read.attempts + 1),
        due_at: Set(claim_expires_at.into()),
        ..Default::default()
    };
    let updated = webhook_delivery::Entity::update_many()
        .set(row.clone())
        .filter(webhook_delivery::Column::Id.eq(read.id))
        .filter(webhook_delivery::Column::Attempts.eq(read.attempts))
        .filter(webhook_delivery::Column::GivenUpAt.is_null())
        .exec(db)
        .await?;
    (updated.rows_affected == 1).then(|| updated_row(read, row)).transpose()
}

/// Records the failure of this attempt, and the time of the next one; without `next_at` the message is given up. A
/// message that was claimed again meanwhile stays.
pub async fn update_failed(
    db: &impl ConnectionTrait,
    claimed: &webhook_delivery::Model,
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
        .filter(webhook_delivery::Column::Id.eq(claimed.id))
        .filter(webhook_delivery::Column::Attempts.eq(claimed.attempts))
        .exec(db)
        .await?;
    Ok(())
}

/// Deletes a delivered message.
pub async fn delete(db: &impl ConnectionTrait, id: i64) -> Result<()> {
    webhook_delivery::Entity::delete_by_id(id).exec(db).await?;
    Ok(())
}

/// Deletes messages created before the time `before`: those given up, and those for removed endpoints.
pub async fn delete_created_before(db: &impl ConnectionTrait, before: DateTime<Utc>) -> Result<()> {
    webhook_delivery::Entity::delete_many()
        .filter(webhook_delivery::Column::CreatedAt.lt(Timestamp::from(before)))
        .exec(db)
        .await?;
    Ok(())
}
