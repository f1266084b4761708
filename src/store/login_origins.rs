//! Known devices and networks of users, by their past logins.

use chrono::{DateTime, Utc};
use entity::login_origin::{self, Column, Entity};
use entity::timestamp::Timestamp;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};

use crate::error::Result;

/// Those of `origins` that are known for a user at `time`.
pub async fn list_known(
    db: &impl ConnectionTrait,
    user_id: i64,
    origins: &[String],
    time: DateTime<Utc>,
) -> Result<Vec<login_origin::Model>> {
    Ok(Entity::find()
        .filter(Column::UserId.eq(user_id))
        .filter(Column::Origin.is_in(origins))
        .filter(Column::ExpiresAt.gt(Timestamp::from(time)))
        .all(db)
        .await?)
}

/// Adds an origin, or extends its expiry.
pub async fn upsert(db: &impl ConnectionTrait, user_id: i64, origin: &str, expires_at: DateTime<Utc>) -> Result<()> {
    let row = login_origin::ActiveModel {
        user_id: Set(user_id),
        origin: Set(origin.to_owned()),
        expires_at: Set(expires_at.into()),
    };
    let on_conflict = OnConflict::columns([Column::UserId, Column::Origin]).update_column(Column::ExpiresAt).to_owned();
    Entity::insert(row).on_conflict(on_conflict).exec_without_returning(db).await?;
    Ok(())
}

/// Deletes the origins of a user with the prefix `kind`, except the `limit` that expire last.
pub async fn delete_excess(db: &impl ConnectionTrait, user_id: i64, kind: &str, limit: u64) -> Result<()> {
    // Two statements, because MySQL has no LIMIT in such a subquery.
    let excess: Vec<String> = Entity::find()
        .select_only()
        .column(Column::Origin)
        .filter(Column::UserId.eq(user_id))
        .filter(Column::Origin.starts_with(kind))
        .order_by_desc(Column::ExpiresAt)
        .order_by_asc(Column::Origin)
        .offset(limit)
        .limit(100)
        .into_tuple()
        .all(db)
        .await?;
    if !excess.is_empty() {
        Entity::delete_many().filter(Column::UserId.eq(user_id)).filter(Column::Origin.is_in(excess)).exec(db).await?;
    }
    Ok(())
}

/// Deletes expired origins of at most `limit` users, as of `time`; returns the count.
pub async fn delete_expired(db: &impl ConnectionTrait, time: DateTime<Utc>, limit: u64) -> Result<u64> {
    // The key has two columns: select the users of the oldest rows, then delete their expired rows.
    let users: Vec<i64> = Entity::find()
        .select_only()
        .column(Column::UserId)
        .filter(Column::ExpiresAt.lt(Timestamp::from(time)))
        .order_by_asc(Column::ExpiresAt)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await?;
    if users.is_empty() {
        return Ok(0);
    }
    let deleted = Entity::delete_many()
        .filter(Column::UserId.is_in(users))
        .filter(Column::ExpiresAt.lt(Timestamp::from(time)))
        .exec(db)
        .await?;
    Ok(deleted.rows_affected)
}
