//! Rotation of a session to its next generation, and the receipt of a generation by the client.

use chrono::{DateTime, Utc};
use entity::{session, user};
use sea_orm::sea_query::{Expr, LockType, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set, UpdateMany};

use crate::error::Result;
use crate::store::change_counters::{Affected, Propagation, TracksChanges};
use crate::store::updated_row::updated_row;

/// Times of a rotation.
#[derive(Debug, Clone, Copy)]
pub struct Rotation {
    /// `iat` of the new access token.
    pub issued_at: DateTime<Utc>,
    /// End of the session unless it is refreshed again.
    pub idle_end_at: DateTime<Utc>,
    /// Time of the rotation.
    pub now: DateTime<Utc>,
}

/// Rotates a session that has not ended to its next generation; the client has the pair of the current one. Returns
/// the rotated row, or `None` after a concurrent rotation.
pub async fn update_generation(
    db: &impl TracksChanges,
    session: &session::Model,
    rotation: Rotation,
) -> Result<Option<session::Model>> {
    let row = rotated_columns(session, rotation);
    let updated = rotation_update(session, row.clone()).exec(db).await?;
    // No cache has tokens of the next generation yet, and those of this one stay valid.
    db.mark_changed(Affected::User(session.user_id), Propagation::ThisNode);
    (updated.rows_affected == 1).then(|| updated_row(session, row)).transpose()
}

/// Like [`update_generation`], in one statement and only if `user` is unchanged; returns the rotated session. Other
/// nodes need no invalidation. Waits for the lock of the user's row, because a change of its roles may be in progress.
pub async fn rotate(
    db: &impl ConnectionTrait,
    session: &session::Model,
    user: &user::Model,
    rotation: Rotation,
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
    let row = rotated_columns(session, rotation);
    let statement = rotation_update(session, row.clone()).filter(session::Column::UserId.in_subquery(unchanged));
    let is_rotated = statement.exec(db).await?.rows_affected == 1;
    is_rotated.then(|| updated_row(session, row)).transpose()
}

fn rotated_columns(session: &session::Model, rotation: Rotation) -> session::ActiveModel {
    session::ActiveModel {
        generation: Set(session.generation + 1),
        receipt: Set(session.generation),
        rotated_at: Set(rotation.now.into()),
        last_seen_at: Set(rotation.now.into()),
        idle_end_at: Set(rotation.idle_end_at.into()),
        issued_at: Set(rotation.issued_at.into()),
        ..Default::default()
    }
}

fn rotation_update(session: &session::Model, row: session::ActiveModel) -> UpdateMany<session::Entity> {
    session::Entity::update_many()
        .set(row)
        .filter(session::Column::Id.eq(session.id))
        .filter(session::Column::Generation.eq(session.generation))
        .filter(session::Column::EndedAt.is_null())
}

/// Records that the client has received the pair of `generation`.
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
