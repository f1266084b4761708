//! Sessions.

use chrono::{DateTime, Utc};
use entity::session::{self, EndReason};
use entity::timestamp::Timestamp;
use entity::user;
use sea_orm::sea_query::{Expr, LockType, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    Set, UpdateMany,
};
use uuid::Uuid;

use super::TenantScope;
use super::keyset::{CursorKey, Page, Sort, paged};
use super::{Affected, Propagation, TracksChanges};
use crate::error::Result;

pub use with_grants::{SessionWithGrants, find_with_grants};

mod with_grants;

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

fn of_user(user_id: i64, live_at: Option<DateTime<Utc>>) -> Select<session::Entity> {
    let all = session::Entity::find().filter(session::Column::UserId.eq(user_id));
    match live_at {
        Some(now) => all.filter(live(now)),
        None => all,
    }
}

fn live(now: DateTime<Utc>) -> Condition {
    let now = Timestamp::from(now);
    Condition::all()
        .add(session::Column::EndedAt.is_null())
        .add(session::Column::IdleEndAt.gt(now))
        .add(session::Column::AbsoluteEndAt.gt(now))
}

/// One page of a user's sessions, newest first; with `live_at` only those that live then.
pub async fn list(
    db: &impl ConnectionTrait,
    user_id: i64,
    live_at: Option<DateTime<Utc>>,
    page: &Page,
) -> Result<Vec<session::Model>> {
    let sort = Sort { column: session::Column::CreatedAt, null_as: None, id: session::Column::Id, is_descending: true };
    Ok(paged(of_user(user_id, live_at), &sort, page).all(db).await?)
}

/// The place of `session` in a list.
pub fn cursor_key(session: &session::Model) -> CursorKey {
    CursorKey { key: session.created_at.millis().into(), id: session.id }
}

/// How many sessions a user has; with `live_at` only those that live then.
pub async fn count(db: &impl ConnectionTrait, user_id: i64, live_at: Option<DateTime<Utc>>) -> Result<u64> {
    Ok(of_user(user_id, live_at).count(db).await?)
}

/// Every live session of a user but, perhaps, one.
pub async fn list_live(
    db: &impl ConnectionTrait,
    user_id: i64,
    except: Option<i64>,
    now: DateTime<Utc>,
) -> Result<Vec<session::Model>> {
    let mut sessions = of_user(user_id, Some(now));
    if let Some(id) = except {
        sessions = sessions.filter(session::Column::Id.ne(id));
    }
    Ok(sessions.all(db).await?)
}

/// The newest live sessions of a user, by number; `limit` at most.
pub async fn list_newest_live(
    db: &impl ConnectionTrait,
    user_id: i64,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<session::Model>> {
    Ok(of_user(user_id, Some(now)).order_by_desc(session::Column::Id).limit(limit).all(db).await?)
}

/// The sessions of a user with these numbers.
pub async fn list_by_id(db: &impl ConnectionTrait, user_id: i64, ids: Vec<i64>) -> Result<Vec<session::Model>> {
    Ok(of_user(user_id, None).filter(session::Column::Id.is_in(ids)).all(db).await?)
}

/// The first live sessions of everybody in `scope`, by number, behind session `after`, with their users.
pub async fn list_live_in_scope(
    db: &impl ConnectionTrait,
    scope: TenantScope,
    after: i64,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<(session::Model, user::Model)>> {
    let found = session::Entity::find()
        .find_also_related(user::Entity)
        .filter(scope.user_condition())
        .filter(session::Column::Id.gt(after))
        .filter(live(now))
        .order_by_asc(session::Column::Id)
        .limit(limit)
        .all(db)
        .await?;
    Ok(found.into_iter().filter_map(|(session, user)| Some((session, user?))).collect())
}

/// The live sessions of a user beyond the newest `kept`; `limit` at most.
pub async fn list_live_excess(
    db: &impl ConnectionTrait,
    user_id: i64,
    kept: u64,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<session::Model>> {
    let newest_first = of_user(user_id, Some(now)).order_by_desc(session::Column::Id);
    Ok(newest_first.offset(kept).limit(limit).all(db).await?)
}

/// The latest `iat` of the access tokens of a user; the Unix epoch if there are none.
pub async fn latest_issued_at(db: &impl ConnectionTrait, user_id: i64) -> Result<Timestamp> {
    let latest: Option<Option<i64>> = session::Entity::find()
        .select_only()
        .column_as(session::Column::IssuedAt.max(), "issued_at")
        .filter(session::Column::UserId.eq(user_id))
        .into_tuple()
        .one(db)
        .await?;
    Ok(DateTime::from_timestamp_millis(latest.flatten().unwrap_or_default()).unwrap_or_default().into())
}

/// Notes the `iat` of an access token that was issued without a step of the session.
pub async fn update_issued_at(db: &impl ConnectionTrait, session_id: i64, issued_at: DateTime<Utc>) -> Result<()> {
    session::Entity::update_many()
        .col_expr(session::Column::IssuedAt, Expr::value(issued_at.timestamp_millis()))
        .filter(session::Column::Id.eq(session_id))
        .exec(db)
        .await?;
    Ok(())
}

/// Revokes the access tokens of all generations before `lowest`. False if they were revoked before.
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

/// Adds a session of `user_id`.
pub async fn insert(db: &impl TracksChanges, user_id: i64, session: session::ActiveModel) -> Result<()> {
    session::Entity::insert(session).exec_without_returning(db).await?;
    db.mark_changed(Affected::User(user_id), Propagation::AllNodes);
    Ok(())
}

/// When a session moves on.
#[derive(Debug, Clone, Copy)]
pub struct Rotation {
    /// The `iat` of the access token.
    pub issued_at: DateTime<Utc>,
    /// When the session ends if it is not renewed again.
    pub idle_end_at: DateTime<Utc>,
    /// The present time.
    pub now: DateTime<Utc>,
}

/// Moves a session that was not ended from its generation to the next; whoever asks for this has the pair of the
/// present one. False if somebody else was faster.
pub async fn update_generation(db: &impl TracksChanges, session: &session::Model, step: Rotation) -> Result<bool> {
    let updated = rotation_update(session, step).exec(db).await?;
    // A token of the next generation is one that nobody has seen before, and those of this one go on.
    db.mark_changed(Affected::User(session.user_id), Propagation::ThisNode);
    Ok(updated.rows_affected == 1)
}

/// The same by a statement of its own, if `user` is still as it was read; the session as it is then. No other node has
/// to know of it. It waits for whoever has the user's row locked, because a change of the roles may be under way.
pub async fn rotate(
    db: &impl ConnectionTrait,
    session: &session::Model,
    user: &user::Model,
    step: Rotation,
) -> Result<Option<session::Model>> {
    let cut_off = match user.cut_off_at {
        Some(time) => user::Column::CutOffAt.eq(time),
        None => user::Column::CutOffAt.is_null(),
    };
    let unchanged = Query::select()
        .column(user::Column::Id)
        .from(user::Entity)
        .and_where(user::Column::Id.eq(user.id))
        .and_where(user::Column::Version.eq(user.version))
        .and_where(user::Column::Status.eq(user.status))
        .and_where(cut_off)
        .lock(LockType::Update)
        .take();
    let moving = rotation_update(session, step).filter(session::Column::UserId.in_subquery(unchanged));
    let moved = moving.exec(db).await?.rows_affected == 1;
    let after = session::Model {
        generation: session.generation + 1,
        receipt: session.generation,
        rotated_at: step.now.into(),
        last_seen_at: step.now.into(),
        idle_end_at: step.idle_end_at.into(),
        issued_at: step.issued_at.into(),
        ..session.clone()
    };
    Ok(moved.then_some(after))
}

fn rotation_update(session: &session::Model, step: Rotation) -> UpdateMany<session::Entity> {
    let row = session::ActiveModel {
        generation: Set(session.generation + 1),
        receipt: Set(session.generation),
        rotated_at: Set(step.now.into()),
        last_seen_at: Set(step.now.into()),
        idle_end_at: Set(step.idle_end_at.into()),
        issued_at: Set(step.issued_at.into()),
        ..Default::default()
    };
    session::Entity::update_many()
        .set(row)
        .filter(session::Column::Id.eq(session.id))
        .filter(session::Column::Generation.eq(session.generation))
        .filter(session::Column::EndedAt.is_null())
}

/// Notes that the client has the pair of `generation`.
pub async fn update_receipt(
    db: &impl ConnectionTrait,
    session_id: i64,
    generation: i32,
    now: DateTime<Utc>,
) -> Result<()> {
    session::Entity::update_many()
        .col_expr(session::Column::Receipt, Expr::value(generation))
        .col_expr(session::Column::LastSeenAt, Expr::value(now.timestamp_millis()))
        .filter(session::Column::Id.eq(session_id))
        .filter(session::Column::Receipt.lt(generation))
        .exec(db)
        .await?;
    Ok(())
}

/// Ends a session. False if it was ended before.
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

/// Ends those of the sessions with these numbers that were not ended before; tells how many.
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

/// Deletes at most `limit` sessions whose absolute end was before `time`; tells how many.
pub async fn delete_expired(db: &impl ConnectionTrait, time: DateTime<Utc>, limit: u64) -> Result<u64> {
    use session::{Column, Entity};
    super::expired::delete_expired::<Entity, i64>(db, Column::Id, (Column::AbsoluteEndAt, time), limit).await
}
