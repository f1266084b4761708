//! API tokens.

use chrono::{DateTime, Utc};
use entity::timestamp::Timestamp;
use entity::{api_token, user};
use sea_orm::sea_query::{Expr, ExprTrait, Func, Query, SimpleExpr};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, Order, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Select, Set, UpdateMany,
};
use uuid::Uuid;

use super::change_counters::{Affected, Propagation, TracksChanges};
use super::keyset::{CursorKey, Page, Sort, paged};
use super::scope::TenantScope;
use super::updated_row::updated_row;
use crate::error::Result;

mod values;

pub use values::{Changes, NewRow, version_conflict};

/// The token with this public id, and its owner.
pub async fn find_with_user(
    db: &impl ConnectionTrait,
    scope: TenantScope,
    uid: Uuid,
) -> Result<Option<(api_token::Model, user::Model)>> {
    find_one_with_user(db, scope.user_condition().add(api_token::Column::Uid.eq(uid))).await
}

/// The token with this row id.
pub async fn find(db: &impl ConnectionTrait, id: i64) -> Result<Option<api_token::Model>> {
    Ok(api_token::Entity::find_by_id(id).one(db).await?)
}

/// The current row of `token`, locked until the transaction ends, as [`super::user_locks::lock`] does.
pub async fn lock(db: &impl TracksChanges, token: &api_token::Model) -> Result<Option<api_token::Model>> {
    Ok(api_token::Entity::find_by_id(token.id).lock_exclusive().one(db).await?)
}

/// The token whose secret has this hash, and its owner.
pub async fn find_by_hash(db: &impl ConnectionTrait, hash: &str) -> Result<Option<(api_token::Model, user::Model)>> {
    find_one_with_user(db, Condition::all().add(api_token::Column::SecretHash.eq(hash))).await
}

async fn find_one_with_user(
    db: &impl ConnectionTrait,
    condition: Condition,
) -> Result<Option<(api_token::Model, user::Model)>> {
    let found = api_token::Entity::find().find_also_related(user::Entity).filter(condition).one(db).await?;
    Ok(found.and_then(|(token, user)| Some((token, user?))))
}

fn of_user(user_id: i64, usable_at: Option<DateTime<Utc>>) -> Select<api_token::Entity> {
    let all = api_token::Entity::find().filter(api_token::Column::UserId.eq(user_id));
    match usable_at {
        Some(now) => all.filter(usable(now)),
        None => all,
    }
}

/// Neither revoked nor expired; may be disabled.
fn usable(now: DateTime<Utc>) -> Condition {
    let lasts = Condition::any()
        .add(api_token::Column::ExpiresAt.is_null())
        .add(api_token::Column::ExpiresAt.gt(Timestamp::from(now)));
    Condition::all().add(api_token::Column::RevokedAt.is_null()).add(lasts)
}

/// One page of a user's tokens, newest first; with `usable_at` only those neither revoked nor expired at that time.
pub async fn list(
    db: &impl ConnectionTrait,
    user_id: i64,
    usable_at: Option<DateTime<Utc>>,
    page: &Page,
) -> Result<Vec<api_token::Model>> {
    let sort =
        Sort { column: api_token::Column::CreatedAt, null_as: None, id: api_token::Column::Id, is_descending: true };
    Ok(paged(of_user(user_id, usable_at), &sort, page).all(db).await?)
}

/// The cursor key of `token` in a list.
pub fn cursor_key(token: &api_token::Model) -> CursorKey {
    CursorKey { key: token.created_at.millis().into(), id: token.id }
}

/// Counts a user's tokens; with `usable_at` only those neither revoked nor expired at that time.
pub async fn count(db: &impl ConnectionTrait, user_id: i64, usable_at: Option<DateTime<Utc>>) -> Result<u64> {
    Ok(of_user(user_id, usable_at).count(db).await?)
}

/// The least recently used of a user's login tokens that are neither revoked nor expired at `now`; an unused one counts
/// by its creation time.
pub async fn find_least_recently_used_from_login(
    db: &impl ConnectionTrait,
    user_id: i64,
    now: DateTime<Utc>,
) -> Result<Option<api_token::Model>> {
    let (last_used, created) = (Expr::col(api_token::Column::LastUsedAt), Expr::col(api_token::Column::CreatedAt));
    Ok(of_user(user_id, Some(now))
        .filter(api_token::Column::FromLogin.eq(true))
        .order_by(SimpleExpr::from(Func::coalesce([last_used, created])), Order::Asc)
        .order_by_asc(api_token::Column::Id)
        .one(db)
        .await?)
}

/// Adds a token.
pub async fn insert(db: &impl TracksChanges, token: NewRow) -> Result<api_token::Model> {
    let token = api_token::ActiveModel::from(token).insert(db).await?;
    db.mark_changed(Affected::User(token.user_id), Propagation::AllNodes);
    Ok(token)
}

/// Applies `changes` and increments the version; returns the updated row.
///
/// # Errors
/// [`crate::error::RefusalCode::Conflict`] if the row's version is no longer that of `token`, or it is revoked.
pub async fn update(
    db: &impl TracksChanges,
    token: &api_token::Model,
    changes: Changes,
    now: DateTime<Utc>,
) -> Result<api_token::Model> {
    let mut row = api_token::ActiveModel::from(changes);
    // The time was read before the row was locked: it must not go back.
    row.updated_at = Set(Ord::max(token.updated_at, now.into()));
    row.version = Set(token.version + 1);
    let updated = api_token::Entity::update_many()
        .set(row.clone())
        .filter(api_token::Column::Id.eq(token.id))
        .filter(api_token::Column::Version.eq(token.version))
        .filter(api_token::Column::RevokedAt.is_null())
        .exec(db)
        .await?;
    db.mark_changed(Affected::User(token.user_id), Propagation::AllNodes);
    if updated.rows_affected == 1 { updated_row(token, row) } else { Err(version_conflict()) }
}

/// Records a use of the token, unless one is recorded after `since`.
pub async fn update_last_used(
    db: &impl ConnectionTrait,
    token_id: i64,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<()> {
    let stale = Condition::any()
        .add(api_token::Column::LastUsedAt.is_null())
        .add(api_token::Column::LastUsedAt.lte(Timestamp::from(since)));
    api_token::Entity::update_many()
        .col_expr(api_token::Column::LastUsedAt, Expr::value(now.timestamp_millis()))
        .filter(api_token::Column::Id.eq(token_id))
        .filter(stale)
        .exec(db)
        .await?;
    Ok(())
}

/// Revokes a token irreversibly; returns the updated row, or `None` if it was revoked already.
pub async fn update_revoked(
    db: &impl TracksChanges,
    token: &api_token::Model,
    now: DateTime<Utc>,
) -> Result<Option<api_token::Model>> {
    let row = api_token::ActiveModel { revoked_at: Set(Some(now.into())), ..Default::default() };
    let updated = api_token::Entity::update_many()
        .set(row.clone())
        .filter(api_token::Column::Id.eq(token.id))
        .filter(api_token::Column::RevokedAt.is_null())
        .exec(db)
        .await?;
    db.mark_changed(Affected::User(token.user_id), Propagation::AllNodes);
    (updated.rows_affected == 1).then(|| updated_row(token, row)).transpose()
}

/// Revokes all tokens of a user; returns how many were usable at `now`.
pub async fn update_all_revoked(db: &impl TracksChanges, user_id: i64, now: DateTime<Utc>) -> Result<u64> {
    update_revoked_of_user(db, user_id, Condition::all(), now).await
}

/// Revokes all login tokens of a user; returns how many were usable at `now`.
pub async fn update_all_from_login_revoked(db: &impl TracksChanges, user_id: i64, now: DateTime<Utc>) -> Result<u64> {
    update_revoked_of_user(db, user_id, Condition::all().add(api_token::Column::FromLogin.eq(true)), now).await
}

async fn update_revoked_of_user(
    db: &impl TracksChanges,
    user_id: i64,
    which: Condition,
    now: DateTime<Utc>,
) -> Result<u64> {
    let usable = of_user(user_id, Some(now)).filter(which.clone()).count(db).await?;
    // Expired ones are revoked, too: their owner could extend them.
    let updated = revocation_update(now).filter(api_token::Column::UserId.eq(user_id)).filter(which).exec(db).await?;
    if updated.rows_affected > 0 {
        db.mark_changed(Affected::User(user_id), Propagation::AllNodes);
    }
    Ok(usable)
}

fn revocation_update(now: DateTime<Utc>) -> UpdateMany<api_token::Entity> {
    let row = api_token::ActiveModel { revoked_at: Set(Some(now.into())), ..Default::default() };
    api_token::Entity::update_many().set(row).filter(api_token::Column::RevokedAt.is_null())
}

/// Revokes all tokens of all users; returns the count.
pub async fn update_all_users_revoked(db: &impl TracksChanges, now: DateTime<Utc>) -> Result<u64> {
    let updated = revocation_update(now).exec(db).await?;
    db.mark_changed(Affected::AllUsers, Propagation::AllNodes);
    Ok(updated.rows_affected)
}

/// Revokes all login tokens of all users; returns the count.
pub async fn update_all_users_from_login_revoked(db: &impl TracksChanges, now: DateTime<Utc>) -> Result<u64> {
    let updated = revocation_update(now).filter(api_token::Column::FromLogin.eq(true)).exec(db).await?;
    db.mark_changed(Affected::AllUsers, Propagation::AllNodes);
    Ok(updated.rows_affected)
}

/// Revokes all login tokens of a tenant's users.
pub async fn update_tenant_from_login_revoked(
    db: &impl TracksChanges,
    tenant_id: i64,
    now: DateTime<Utc>,
) -> Result<()> {
    let users = Query::select().column(user::Column::Id).from(user::Entity).and_where(of_tenant(tenant_id)).take();
    revocation_update(now)
        .filter(api_token::Column::FromLogin.eq(true))
        .filter(api_token::Column::UserId.in_subquery(users))
        .exec(db)
        .await?;
    db.mark_changed(Affected::AllUsers, Propagation::AllNodes);
    Ok(())
}

fn of_tenant(tenant_id: i64) -> SimpleExpr {
    Expr::col(user::Column::TenantId).eq(tenant_id)
}

/// Deletes at most `limit` login tokens that were revoked or had expired before `time`; returns the count.
pub async fn delete_expired_from_login(db: &impl ConnectionTrait, time: DateTime<Utc>, limit: u64) -> Result<u64> {
    use api_token::{Column, Entity};
    let time = Timestamp::from(time);
    let is_over = Condition::any().add(Column::RevokedAt.lt(time)).add(Column::ExpiresAt.lt(time));
    let rows = Entity::find().filter(Column::FromLogin.eq(true)).filter(is_over).order_by_asc(Column::Id);
    super::expired::delete_first::<Entity, i64>(db, Column::Id, rows, limit).await
}
