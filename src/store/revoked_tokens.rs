//! Revocation list: tokens and sessions revoked before their expiry.

use chrono::{DateTime, Utc};
use entity::revoked_token;
use entity::timestamp::Timestamp;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use uuid::Uuid;

use super::change_counters::{Affected, Propagation};
use super::cut_offs::TracksRevocations;
use crate::error::Result;

/// One entry of the list.
#[derive(Debug, Clone)]
pub struct Revocation {
    /// A `jti`, a `sid`, the public id of a user, or an id by [`generation_entry_id`].
    pub token_id: String,
    /// Public id of the token's user.
    pub user_uid: Uuid,
    /// When the entry can be deleted: every token that it revokes has expired.
    pub until: DateTime<Utc>,
    /// The reason, in upper-case words.
    pub reason: &'static str,
    /// For a live session: the lowest generation whose access tokens are valid.
    pub generation: Option<i32>,
}

/// Prefix of the ids of entries with a session's lowest valid generation.
const GENERATION_PREFIX: &str = "gen:";

/// The id of the entry with a session's lowest valid generation.
pub fn generation_entry_id(sid: &str) -> String {
    format!("{GENERATION_PREFIX}{sid}")
}

/// The `sid` in an id by [`generation_entry_id`].
pub fn session_of_entry(token_id: &str) -> Option<&str> {
    token_id.strip_prefix(GENERATION_PREFIX)
}

/// Whether any of `token_ids` is revoked at `now`.
pub async fn contains_any(db: &impl ConnectionTrait, token_ids: &[&str], now: DateTime<Utc>) -> Result<bool> {
    let found = revoked_token::Entity::find()
        .filter(revoked_token::Column::TokenId.is_in(token_ids.iter().copied()))
        .filter(revoked_token::Column::Until.gt(Timestamp::from(now)))
        .limit(1)
        .one(db)
        .await?;
    Ok(found.is_some())
}

/// Adds entries; existing ones are left unchanged.
pub async fn insert(
    db: &impl TracksRevocations,
    affected: Affected,
    revocations: Vec<Revocation>,
    now: DateTime<Utc>,
) -> Result<()> {
    if revocations.is_empty() {
        return Ok(());
    }
    db.mark_revocations_changed();
    let rows = revocations.into_iter().map(|revocation| revoked_token::ActiveModel {
        token_id: Set(revocation.token_id),
        user_uid: Set(revocation.user_uid),
        until: Set(revocation.until.into()),
        revoked_at: Set(now.into()),
        reason: Set(revocation.reason.to_owned()),
        generation: Set(revocation.generation),
        covered: Set(false),
    });
    revoked_token::Entity::insert_many(rows)
        .on_conflict(
            OnConflict::column(revoked_token::Column::TokenId)
                .do_nothing_on([revoked_token::Column::TokenId])
                .to_owned(),
        )
        .exec_without_returning(db)
        .await?;
    db.mark_changed(affected, Propagation::AllNodes);
    Ok(())
}

/// Entries added after `since` that no cut-off covers, oldest first.
pub async fn list_since(db: &impl ConnectionTrait, since: DateTime<Utc>) -> Result<Vec<revoked_token::Model>> {
    Ok(revoked_token::Entity::find()
        .filter(revoked_token::Column::RevokedAt.gt(Timestamp::from(since)))
        .filter(revoked_token::Column::Covered.eq(false))
        .order_by_asc(revoked_token::Column::RevokedAt)
        .order_by_asc(revoked_token::Column::TokenId)
        .all(db)
        .await?)
}

/// Adds an entry of this user, or updates the existing one.
pub async fn upsert(
    db: &impl TracksRevocations,
    user_id: i64,
    revocation: Revocation,
    now: DateTime<Utc>,
) -> Result<()> {
    db.mark_revocations_changed();
    let row = revoked_token::ActiveModel {
        token_id: Set(revocation.token_id),
        user_uid: Set(revocation.user_uid),
        until: Set(revocation.until.into()),
        revoked_at: Set(now.into()),
        reason: Set(revocation.reason.to_owned()),
        generation: Set(revocation.generation),
        covered: Set(false),
    };
    use revoked_token::Column;
    let renewed = [Column::Until, Column::RevokedAt, Column::Reason, Column::Generation];
    revoked_token::Entity::insert(row)
        .on_conflict(OnConflict::column(revoked_token::Column::TokenId).update_columns(renewed).to_owned())
        .exec_without_returning(db)
        .await?;
    db.mark_changed(Affected::User(user_id), Propagation::AllNodes);
    Ok(())
}

/// The users with more than `limit` entries of ended sessions since `since` that no cut-off covers.
pub async fn list_users_over_limit(
    db: &impl ConnectionTrait,
    user_uids: Vec<Uuid>,
    since: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<Uuid>> {
    let entries = Expr::col(revoked_token::Column::TokenId).count();
    Ok(revoked_token::Entity::find()
        .select_only()
        .column(revoked_token::Column::UserUid)
        .filter(revoked_token::Column::UserUid.is_in(user_uids))
        .filter(sessions_since(since))
        .group_by(revoked_token::Column::UserUid)
        .having(entries.gt(i64::try_from(limit).unwrap_or(i64::MAX)))
        .into_tuple()
        .all(db)
        .await?)
}

/// Marks the entries of a user's ended sessions as covered by a cut-off, which removes them from the published list.
pub async fn update_covered_by_cut_off(
    db: &impl TracksRevocations,
    user_id: i64,
    user_uid: Uuid,
    since: DateTime<Utc>,
) -> Result<()> {
    db.mark_revocations_changed();
    let row = revoked_token::ActiveModel { covered: Set(true), ..Default::default() };
    revoked_token::Entity::update_many()
        .set(row)
        .filter(revoked_token::Column::UserUid.eq(user_uid))
        .filter(sessions_since(since))
        .exec(db)
        .await?;
    db.mark_changed(Affected::User(user_id), Propagation::AllNodes);
    Ok(())
}

/// Entries of ended sessions: only session ids and `jti`s start with `ses_`, and every `jti` contains a dot.
fn sessions_since(since: DateTime<Utc>) -> Condition {
    Condition::all()
        .add(revoked_token::Column::RevokedAt.gt(Timestamp::from(since)))
        .add(revoked_token::Column::Covered.eq(false))
        .add(revoked_token::Column::Generation.is_null())
        .add(revoked_token::Column::TokenId.like("ses_%"))
        .add(revoked_token::Column::TokenId.not_like("%.%"))
}

/// Deletes at most `limit` entries whose original expiry was before `time`; returns the count.
pub async fn delete_expired(db: &impl ConnectionTrait, time: DateTime<Utc>, limit: u64) -> Result<u64> {
    use revoked_token::{Column, Entity};
    super::expired::delete_expired::<Entity, String>(db, Column::TokenId, Column::Until, time, limit).await
}
