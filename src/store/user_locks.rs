//! Row locks of users.

use entity::user;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::change_counters::TracksChanges;
use super::scope::TenantScope;
use crate::error::Result;

/// The user with this public id, with the row locked until the transaction ends. Serializes changes of one user, so
/// that each sees the previous one. SQLite has one writer and needs no lock.
pub async fn lock(db: &impl TracksChanges, scope: TenantScope, uid: Uuid) -> Result<Option<user::Model>> {
    Ok(scope.find_users().filter(user::Column::Uid.eq(uid)).lock_exclusive().one(db).await?)
}

/// Like [`lock`], by row id and in every tenant.
pub async fn lock_by_id(db: &impl ConnectionTrait, id: i64) -> Result<Option<user::Model>> {
    Ok(user::Entity::find_by_id(id).lock_exclusive().one(db).await?)
}

/// Like [`lock`], in every tenant.
pub async fn lock_by_uid(db: &impl ConnectionTrait, uid: Uuid) -> Result<Option<user::Model>> {
    Ok(user::Entity::find().filter(user::Column::Uid.eq(uid)).lock_exclusive().one(db).await?)
}
