//! Lists of sessions.

use chrono::{DateTime, Utc};
use entity::timestamp::Timestamp;
use entity::{session, user};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};

use crate::error::Result;
use crate::store::keyset::{CursorKey, Page, Sort, paged};
use crate::store::scope::TenantScope;

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

/// One page of a user's sessions, newest first; with `live_at` only those live at that time.
pub async fn list(
    db: &impl ConnectionTrait,
    user_id: i64,
    live_at: Option<DateTime<Utc>>,
    page: &Page,
) -> Result<Vec<session::Model>> {
    let sort = Sort { column: session::Column::CreatedAt, null_as: None, id: session::Column::Id, is_descending: true };
    Ok(paged(of_user(user_id, live_at), &sort, page).all(db).await?)
}

/// The cursor key of `session` in a list.
pub fn cursor_key(session: &session::Model) -> CursorKey {
    CursorKey { key: session.created_at.millis().into(), id: session.id }
}

/// Counts a user's sessions; with `live_at` only those live at that time.
pub async fn count(db: &impl ConnectionTrait, user_id: i64, live_at: Option<DateTime<Utc>>) -> Result<u64> {
    Ok(of_user(user_id, live_at).count(db).await?)
}

/// All live sessions of a user; without the session `except`, if given.
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

/// At most `limit` live sessions of a user, newest first by row id.
pub async fn list_newest_live(
    db: &impl ConnectionTrait,
    user_id: i64,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<session::Model>> {
    Ok(of_user(user_id, Some(now)).order_by_desc(session::Column::Id).limit(limit).all(db).await?)
}

/// The sessions of a user with these row ids.
pub async fn list_by_id(db: &impl ConnectionTrait, user_id: i64, ids: Vec<i64>) -> Result<Vec<session::Model>> {
    Ok(of_user(user_id, None).filter(session::Column::Id.is_in(ids)).all(db).await?)
}

/// At most `limit` live sessions in `scope` with a row id greater than `after`, by row id, with their users.
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

/// At most `limit` live sessions of a user beyond the newest `max_sessions`.
pub async fn list_live_excess(
    db: &impl ConnectionTrait,
    user_id: i64,
    max_sessions: u64,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<session::Model>> {
    let newest_first = of_user(user_id, Some(now)).order_by_desc(session::Column::Id);
    Ok(newest_first.offset(max_sessions).limit(limit).all(db).await?)
}
