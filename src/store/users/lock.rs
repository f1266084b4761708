//! Locks on the rows of users.

use entity::user;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::scoped;
use crate::error::Result;
use crate::store::{TenantScope, TracksChanges};

/// The user with this public id, with the row locked until the transaction ends: changes of one user wait for each other, and each sees
/// what the one before has made. SQLite has one writer and needs no lock.
pub async fn lock(db: &impl TracksChanges, scope: TenantScope, uid: Uuid) -> Result<Option<user::Model>> {
    Ok(scoped(scope).filter(user::Column::Uid.eq(uid)).lock_exclusive().one(db).await?)
}

/// The same for the user with this row id.
pub async fn lock_by_id(db: &impl ConnectionTrait, id: i64) -> Result<Option<user::Model>> {
    Ok(user::Entity::find_by_id(id).lock_exclusive().one(db).await?)
}

/// The same for the user with this public id.
pub async fn lock_by_uid(db: &impl ConnectionTrait, uid: Uuid) -> Result<Option<user::Model>> {
    Ok(user::Entity::find().filter(user::Column::Uid.eq(uid)).lock_exclusive().one(db).await?)
}
