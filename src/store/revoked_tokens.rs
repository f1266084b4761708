//! Tokens and sessions that are refused before their time.

use chrono::{DateTime, Utc};
use entity::revoked_token;
use entity::timestamp::Timestamp;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use uuid::Uuid;

use super::{Reach, Touched, Writes};
use crate::error::Result;

/// One entry of the list.
#[derive(Debug, Clone)]
pub struct Revocation {
    /// A `jti` or a `sid`.
    pub token_id: String,
    /// Whose it was.
    pub user_uid: Uuid,
    /// When it would have ended by itself.
    pub until: DateTime<Utc>,
    /// Why.
    pub reason: &'static str,
}

/// Whether one of `token_ids` is on the list at `now`.
pub async fn contains_any(db: &impl ConnectionTrait, token_ids: &[&str], now: DateTime<Utc>) -> Result<bool> {
    let found = revoked_token::Entity::find()
        .filter(revoked_token::Column::TokenId.is_in(token_ids.iter().copied()))
        .filter(revoked_token::Column::Until.gt(Timestamp::from(now)))
        .limit(1)
        .one(db)
        .await?;
    Ok(found.is_some())
}

/// Puts `revocations` of somebody's tokens on the list; what stands there already stays as it is.
pub async fn insert(db: &impl Writes, whose: Touched, revocations: Vec<Revocation>, now: DateTime<Utc>) -> Result<()> {
    if revocations.is_empty() {
        return Ok(());
    }
    let rows = revocations.into_iter().map(|revocation| revoked_token::ActiveModel {
        token_id: Set(revocation.token_id),
        user_uid: Set(revocation.user_uid),
        until: Set(revocation.until.into()),
        revoked_at: Set(now.into()),
        reason: Set(revocation.reason.to_owned()),
    });
    revoked_token::Entity::insert_many(rows)
        .on_conflict(
            OnConflict::column(revoked_token::Column::TokenId)
                .do_nothing_on([revoked_token::Column::TokenId])
                .to_owned(),
        )
        .exec_without_returning(db)
        .await?;
    db.touch(whose, Reach::Nodes);
    Ok(())
}

/// What was put on the list after `since`, in that order.
pub async fn list_since(db: &impl ConnectionTrait, since: DateTime<Utc>) -> Result<Vec<revoked_token::Model>> {
    Ok(revoked_token::Entity::find()
        .filter(revoked_token::Column::RevokedAt.gt(Timestamp::from(since)))
        .order_by_asc(revoked_token::Column::RevokedAt)
        .order_by_asc(revoked_token::Column::TokenId)
        .all(db)
        .await?)
}

/// Puts one of this user's on the list; what stands there already is renewed.
pub async fn upsert(db: &impl Writes, user_id: i64, revocation: Revocation, now: DateTime<Utc>) -> Result<()> {
    let row = revoked_token::ActiveModel {
        token_id: Set(revocation.token_id),
        user_uid: Set(revocation.user_uid),
        until: Set(revocation.until.into()),
        revoked_at: Set(now.into()),
        reason: Set(revocation.reason.to_owned()),
    };
    let renewed = [revoked_token::Column::Until, revoked_token::Column::RevokedAt, revoked_token::Column::Reason];
    revoked_token::Entity::insert(row)
        .on_conflict(OnConflict::column(revoked_token::Column::TokenId).update_columns(renewed).to_owned())
        .exec_without_returning(db)
        .await?;
    db.touch(Touched::User(user_id), Reach::Nodes);
    Ok(())
}

/// Takes at most `limit` entries off the list that would have ended by themselves before `time`; tells how many.
pub async fn delete_over(db: &impl ConnectionTrait, time: DateTime<Utc>, limit: u64) -> Result<u64> {
    use revoked_token::{Column, Entity};
    super::over::delete_over::<Entity, String>(db, Column::TokenId, (Column::Until, time), limit).await
}
