//! Batched deletion of expired rows.

use chrono::{DateTime, Utc};
use entity::timestamp::Timestamp;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select, TryGetable, Value,
};

use crate::error::Result;

/// Deletes at most `limit` rows whose `end` is before `time`, oldest first; returns the count.
pub(super) async fn delete_expired<E, K>(
    db: &impl ConnectionTrait,
    key: E::Column,
    end: E::Column,
    time: DateTime<Utc>,
    limit: u64,
) -> Result<u64>
where
    E: EntityTrait,
    K: TryGetable + Into<Value> + Send,
{
    delete_first::<E, K>(db, key, E::find().filter(end.lt(Timestamp::from(time))).order_by_asc(end), limit).await
}

/// Deletes the first `limit` of the selected `rows` by their `key`; returns the count.
pub(super) async fn delete_first<E, K>(
    db: &impl ConnectionTrait,
    key: E::Column,
    rows: Select<E>,
    limit: u64,
) -> Result<u64>
where
    E: EntityTrait,
    K: TryGetable + Into<Value> + Send,
{
    // Two statements: MySQL has no LIMIT in such a subquery, SQLite and PostgreSQL have none in DELETE.
    let keys: Vec<K> = rows.select_only().column(key).limit(limit).into_tuple().all(db).await?;
    if keys.is_empty() {
        return Ok(0);
    }
    Ok(E::delete_many().filter(key.is_in(keys)).exec(db).await?.rows_affected)
}
