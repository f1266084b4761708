//! Counters of consecutive failures, per subject.

use chrono::{DateTime, Utc};
use entity::throttle;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, Set, SqlErr,
};

use crate::error::Result;

/// The counters of a subject.
pub async fn find(db: &impl ConnectionTrait, subject: &str) -> Result<Option<throttle::Model>> {
    Ok(throttle::Entity::find_by_id(subject).one(db).await?)
}

/// Adds the counters of a subject. Call it outside a transaction, which PostgreSQL would abort if the row exists.
/// Returns false if a concurrent request added them first.
pub async fn insert(db: &impl ConnectionTrait, row: &throttle::Model) -> Result<bool> {
    let row: throttle::ActiveModel = row.clone().into();
    // A plain INSERT: with `ON DUPLICATE KEY UPDATE`, MySQL counts an unchanged row like an inserted one.
    match throttle::Entity::insert(row.reset_all()).exec_without_returning(db).await {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Replaces the counters of a subject if they are still `read`. Returns false after a concurrent update.
pub async fn update(db: &impl ConnectionTrait, read: &throttle::Model, next: &throttle::Model) -> Result<bool> {
    let row = throttle::ActiveModel {
        failures: Set(next.failures),
        pending: Set(next.pending),
        blocked_until: Set(next.blocked_until),
        updated_at: Set(next.updated_at),
        ..Default::default()
    };
    let updated = throttle::Entity::update_many()
        .set(row)
        .filter(throttle::Column::Subject.eq(&read.subject))
        .filter(throttle::Column::Failures.eq(read.failures))
        .filter(throttle::Column::Pending.eq(read.pending))
        .filter(throttle::Column::UpdatedAt.eq(read.updated_at))
        .exec(db)
        .await?;
    Ok(updated.rows_affected == 1)
}

/// Clears the failures of a subject after a successful attempt; other pending attempts stay counted.
pub async fn clear(db: &impl ConnectionTrait, subject: &str) -> Result<()> {
    let deleted = throttle::Entity::delete_many()
        .filter(throttle::Column::Subject.eq(subject))
        .filter(throttle::Column::Pending.lte(1))
        .exec(db)
        .await?;
    if deleted.rows_affected == 0 {
        throttle::Entity::update_many()
            .col_expr(throttle::Column::Failures, Expr::value(0))
            .col_expr(throttle::Column::Pending, Expr::col(throttle::Column::Pending).sub(1))
            .filter(throttle::Column::Subject.eq(subject))
            .filter(throttle::Column::Pending.gt(0))
            .exec(db)
            .await?;
    }
    Ok(())
}

/// Counts the subjects with this prefix.
pub async fn count(db: &impl ConnectionTrait, prefix: &str) -> Result<u64> {
    Ok(throttle::Entity::find().filter(throttle::Column::Subject.starts_with(prefix)).count(db).await?)
}

/// Deletes at most `limit` subjects with this prefix, those unblocked for longest first; returns the count.
pub async fn delete_least_recently_blocked(db: &impl ConnectionTrait, prefix: &str, limit: u64) -> Result<u64> {
    use throttle::{Column, Entity};
    let rows = Entity::find().filter(Column::Subject.starts_with(prefix)).order_by_asc(Column::BlockedUntil);
    super::expired::delete_first::<Entity, String>(db, Column::Subject, rows, limit).await
}

/// Deletes at most `limit` subjects without an update since `time`; returns the count.
pub async fn delete_stale(db: &impl ConnectionTrait, time: DateTime<Utc>, limit: u64) -> Result<u64> {
    use throttle::{Column, Entity};
    super::expired::delete_expired::<Entity, String>(db, Column::Subject, Column::UpdatedAt, time, limit).await
}
