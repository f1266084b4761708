//! Sessions.

use chrono::{DateTime, Utc};
use entity::session::{self, EndReason};
use entity::timestamp::Timestamp;
use entity::user;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, Set};
use uuid::Uuid;

use super::change_counters::{Affected, Propagation, TracksChanges};
use super::scope::TenantScope;
use crate::error::Result;

mod insert;
mod list;
mod rotation;
mod with_grants;

pub use insert::NewRow;
pub use list::{
    count, cursor_key, list, list_by_id, list_live, list_live_excess, list_live_in_scope, list_newest_live,
};
pub use rotation::{Rotation, rotate, update_generation, update_receipt};
pub use with_grants::{SessionWithGrants, find_with_grants};

/// The session with this public id.
pub async fn find(db: &impl ConnectionTrait, uid: Uuid) -> Result<Option<session::Model>> {
    Ok(session::Entity::find().filter(session::Column::Uid.eq(uid)).one(db).await?)
}

/// The session with this public id, and its user.
pub async fn find_with_user(
    db: &impl ConnectionTrait,
    scope: TenantScope,
    uid: Uuid,
) -> Result<Option<(session::Model, user::Model)>> {
    let found = session::Entity::find()
        .find_also_related(user::Entity)
        .filter(session::Column::Uid.eq(uid))
        .filter(scope.user_condition())
        .one(db)
        .await?;
    Ok(found.and_then(|(session, user)| Some((session, user?))))
}

/// Which sessions of a user a statement concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionState {
    /// All of them.
    Any,
    /// Those that were ended early.
    Ended,
}

/// The latest `iat` of the access tokens of a user's sessions; the Unix epoch if there are none.
pub async fn latest_issued_at(db: &impl ConnectionTrait, user_id: i64, state: SessionState) -> Result<Timestamp> {
    let sessions = session::Entity::find().filter(session::Column::UserId.eq(user_id));
    let sessions = match state {
        SessionState::Any => sessions,
        SessionState::Ended => sessions.filter(session::Column::EndedAt.is_not_null()),
    };
    let latest: Option<Option<i64>> =
        sessions.select_only().column_as(session::Column::IssuedAt.max(), "issued_at").into_tuple().one(db).await?;
    Ok(DateTime::from_timestamp_millis(latest.flatten().unwrap_or_default()).unwrap_or_default().into())
}

/// Records the `iat` of an access token that was issued without a rotation.
pub async fn update_issued_at(db: &impl ConnectionTrait, session_id: i64, issued_at: DateTime<Utc>) -> Result<()> {
    session::Entity::update_many()
        .col_expr(session::Column::IssuedAt, Expr::value(issued_at.timestamp_millis()))
        .filter(session::Column::Id.eq(session_id))
        .exec(db)
        .await?;
    Ok(())
}

/// Revokes the access tokens of all generations before `lowest`. Returns false if they were revoked already.
pub async fn update_lowest_generation(db: &impl TracksChanges, session: &session::Model, lowest: i32) -> Result<bool> {
    let row = session::ActiveModel { lowest_generation: Set(lowest), ..Default::default() };
    let updated = session::Entity::update_many()
        .set(row)
        .filter(session::Column::Id.eq(session.id))
        .filter(session::Column::LowestGeneration.lt(lowest))
        .exec(db)
        .await?;
    db.mark_changed(Affected::User(session.user_id), Propagation::AllNodes);
    Ok(updated.rows_affected == 1)
}

/// Adds a session.
pub async fn insert(db: &impl TracksChanges, session: NewRow) -> Result<()> {
    let user_id = session.user_id;
    session::Entity::insert(session::ActiveModel::from(session)).exec_without_returning(db).await?;
    db.mark_changed(Affected::User(user_id), Propagation::AllNodes);
    Ok(())
}

/// Ends a session. Returns false if it had ended already.
pub async fn update_ended(
    db: &impl TracksChanges,
    session: &session::Model,
    reason: EndReason,
    now: DateTime<Utc>,
) -> Result<bool> {
    let row =
        session::ActiveModel { ended_at: Set(Some(now.into())), end_reason: Set(Some(reason)), ..Default::default() };
    let updated = session::Entity::update_many()
        .set(row)
        .filter(session::Column::Id.eq(session.id))
        .filter(session::Column::EndedAt.is_null())
        .exec(db)
        .await?;
    db.mark_changed(Affected::User(session.user_id), Propagation::AllNodes);
    Ok(updated.rows_affected == 1)
}

/// Ends the sessions with these row ids that have not ended yet; returns the count.
pub async fn update_all_ended(
    db: &impl TracksChanges,
    session_ids: impl IntoIterator<Item = i64>,
    reason: EndReason,
    now: DateTime<Utc>,
) -> Result<u64> {
    let row =
        session::ActiveModel { ended_at: Set(Some(now.into())), end_reason: Set(Some(reason)), ..Default::default() };
    let updated = session::Entity::update_many()
        .set(row)
        .filter(session::Column::Id.is_in(session_ids))
        .filter(session::Column::EndedAt.is_null())
        .exec(db)
        .await?;
    db.mark_changed(Affected::AllUsers, Propagation::AllNodes);
    Ok(updated.rows_affected)
}

/// Deletes at most `limit` sessions whose absolute end was before `time`; returns the count.
pub async fn delete_expired(db: &impl ConnectionTrait, time: DateTime<Utc>, limit: u64) -> Result<u64> {
    use session::{Column, Entity};
    super::expired::delete_expired::<Entity, i64>(db, Column::Id, Column::AbsoluteEndAt, time, limit).await
}
