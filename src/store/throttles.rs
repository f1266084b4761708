//! Failures in a row, per subject.

use chrono::{DateTime, Utc};
use entity::throttle;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set, SqlErr};

use crate::error::Result;

/// What is known of a subject.
pub async fn find(db: &impl ConnectionTrait, subject: &str) -> Result<Option<throttle::Model>> {
    Ok(throttle::Entity::find_by_id(subject).one(db).await?)
}

/// Begins to count for a subject; not within a transaction, which a row that is there already would end on PostgreSQL.
/// False if somebody else was faster.
pub async fn insert(
    db: &impl ConnectionTrait,
    subject: &str,
    failures: i32,
    blocked_until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let row = throttle::ActiveModel {
        subject: Set(subject.to_owned()),
        failures: Set(failures),
        blocked_until: Set(blocked_until.into()),
        updated_at: Set(now.into()),
    };
    // Plain, and not `ON DUPLICATE KEY UPDATE`: MySQL counts a row that it leaves as it was like one that it made.
    match throttle::Entity::insert(row).exec_without_returning(db).await {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Counts one more for a subject that is as it was read. False if somebody else was faster.
pub async fn update(
    db: &impl ConnectionTrait,
    read: &throttle::Model,
    failures: i32,
    blocked_until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let row = throttle::ActiveModel {
        failures: Set(failures),
        blocked_until: Set(blocked_until.into()),
        updated_at: Set(now.into()),
        ..Default::default()
    };
    let updated = throttle::Entity::update_many()
        .set(row)
        .filter(throttle::Column::Subject.eq(&read.subject))
        .filter(throttle::Column::Failures.eq(read.failures))
        .filter(throttle::Column::UpdatedAt.eq(read.updated_at))
        .exec(db)
        .await?;
    Ok(updated.rows_affected == 1)
}

/// Forgets the failures of a subject.
pub async fn delete(db: &impl ConnectionTrait, subject: &str) -> Result<()> {
    throttle::Entity::delete_by_id(subject).exec(db).await?;
    Ok(())
}
