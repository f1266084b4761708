//! Rows whose time is over, deleted a few at a time.

use chrono::{DateTime, Utc};
use entity::timestamp::Timestamp;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, TryGetable, Value};

use crate::error::Result;

/// Deletes at most `limit` rows whose end was before `time`, the eldest first, by their `key`; tells how many.
pub(super) async fn delete_over<E, K>(
    db: &impl ConnectionTrait,
    key: E::Column,
    (end, time): (E::Column, DateTime<Utc>),
    limit: u64,
) -> Result<u64>
where
    E: EntityTrait,
    K: TryGetable + Into<Value> + Send,
{
    // Two statements, because MySQL limits no subquery and SQLite and PostgreSQL limit no deletion.
    let over: Vec<K> = E::find()
        .select_only()
        .column(key)
        .filter(end.lt(Timestamp::from(time)))
        .order_by_asc(end)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await?;
    if over.is_empty() {
        return Ok(0);
    }
    Ok(E::delete_many().filter(key.is_in(over)).exec(db).await?.rows_affected)
}
