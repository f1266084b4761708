//! Users.

use entity::{role, user, user_role};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::change_counters::{Affected, Propagation, TracksChanges};
use super::cut_offs::{Cause, TracksRevocations, revoke_issued_tokens};
use super::scope::TenantScope;
use crate::error::{Result, map_unique_violation};

mod filter;
mod group;
mod insert;
mod list;
mod update;

pub use super::user_locks::{lock, lock_by_id, lock_by_uid};
pub use filter::Filter;
pub use group::{list_holders, update_holder_versions, update_tenant_disabled};
pub use insert::NewRow;
pub use list::{Order, Sorting, count, cursor_key, list, list_by_offset};
pub use update::{
    Changes, update_account, update_login, update_password, update_status, update_version, version_conflict,
};

use update::unique_violations;

/// The user with this public id.
pub async fn find(db: &impl ConnectionTrait, scope: TenantScope, uid: Uuid) -> Result<Option<user::Model>> {
    Ok(scope.find_users().filter(user::Column::Uid.eq(uid)).one(db).await?)
}

/// The user with this row id.
pub async fn find_by_id(db: &impl ConnectionTrait, scope: TenantScope, id: i64) -> Result<Option<user::Model>> {
    Ok(scope.find_users().filter(user::Column::Id.eq(id)).one(db).await?)
}

/// The user with this canonical username.
pub async fn find_by_username(db: &impl ConnectionTrait, scope: TenantScope, key: &str) -> Result<Option<user::Model>> {
    Ok(scope.find_users().filter(user::Column::UsernameKey.eq(key)).one(db).await?)
}

/// The user with this canonical e-mail address.
pub async fn find_by_email(db: &impl ConnectionTrait, scope: TenantScope, key: &str) -> Result<Option<user::Model>> {
    Ok(scope.find_users().filter(user::Column::EmailKey.eq(key)).one(db).await?)
}

/// The users with this canonical username or this canonical e-mail address: at most two.
pub async fn list_by_handle(
    db: &impl ConnectionTrait,
    scope: TenantScope,
    username_key: &str,
    email_key: &str,
) -> Result<Vec<user::Model>> {
    let either = user::Column::UsernameKey.eq(username_key).or(user::Column::EmailKey.eq(email_key));
    Ok(scope.find_users().filter(either).all(db).await?)
}

/// Adds a user.
///
/// # Errors
/// A refusal if the username or the e-mail address is taken.
pub async fn insert(db: &impl TracksChanges, user: NewRow) -> Result<user::Model> {
    let user = user::ActiveModel::from(user)
        .insert(db)
        .await
        .map_err(|error| map_unique_violation(error, &unique_violations()))?;
    // SQLite may reuse the row id of a deleted user.
    db.mark_changed(Affected::User(user.id), Propagation::AllNodes);
    Ok(user)
}

/// Deletes a user with all dependent rows, and revokes the issued access tokens.
///
/// # Errors
/// [`crate::error::RefusalCode::Conflict`] if the user does not exist any more.
pub async fn delete(db: &impl TracksRevocations, user: &user::Model) -> Result<()> {
    // First, because the cascade deletes the sessions, which hold the latest `iat`.
    revoke_issued_tokens(db, user.id, Cause::AccountDeleted).await?;
    let deleted = user::Entity::delete_by_id(user.id).exec(db).await?;
    db.mark_changed(Affected::User(user.id), Propagation::AllNodes);
    if deleted.rows_affected == 1 { Ok(()) } else { Err(version_conflict()) }
}

/// Counts the active users with a built-in role, up to two.
pub async fn count_active_admins(db: &impl ConnectionTrait, scope: TenantScope) -> Result<u64> {
    let admins = Query::select()
        .column((user_role::Entity, user_role::Column::UserId))
        .from(user_role::Entity)
        .inner_join(
            role::Entity,
            Expr::col((role::Entity, role::Column::Id)).equals((user_role::Entity, user_role::Column::RoleId)),
        )
        .and_where(Expr::col((role::Entity, role::Column::BuiltIn)).eq(true))
        .take();
    let active = scope
        .find_users()
        .filter(user::Column::Status.eq(user::Status::Active))
        .filter(user::Column::Id.in_subquery(admins));
    Ok(active.limit(2).count(db).await?)
}
