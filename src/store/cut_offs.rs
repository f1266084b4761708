//! Cut-offs: other services reject access tokens of a user that were issued up to the user's cut-off.
//!
//! Issuing an access token takes the lock of the user's row and stores the `iat` in the session. Setting a cut-off
//! takes the same lock. It thus covers every token issued before the change, whatever the issuing node's clock.

use entity::timestamp::Timestamp;
use entity::user;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use uuid::Uuid;

use super::change_counters::{Affected, Propagation, TracksChanges};
use super::sessions::{self, SessionState};
use super::user_locks;
use crate::error::Result;

/// A transaction that publishes revocations with its commit. Statements that invalidate access tokens require it, so
/// that no use case can omit the publication.
pub trait TracksRevocations: TracksChanges {
    /// Marks that the commit changes the revocation list.
    fn mark_revocations_changed(&self);
    /// Adds a cut-off that the commit writes.
    fn mark_cut_off(&self, cut_off: CutOff);
}

/// Why access tokens of a user are revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The user's roles or their permissions changed.
    RolesChanged,
    /// The username changed.
    UsernameChanged,
    /// The user or the tenant was disabled.
    AccountDisabled,
    /// The user was deleted.
    AccountDeleted,
    /// Too many sessions ended to list each of them.
    SessionsEnded,
    /// Several access tokens of one session were replaced.
    TokensReplaced,
}

impl Cause {
    /// The `reason` in the table and in the revocation list.
    pub fn name(self) -> &'static str {
        match self {
            Self::RolesChanged => "ROLES_CHANGED",
            Self::UsernameChanged => "USERNAME_CHANGED",
            Self::AccountDisabled => "ACCOUNT_DISABLED",
            Self::AccountDeleted => "ACCOUNT_DELETED",
            Self::SessionsEnded => "SESSIONS_ENDED",
            Self::TokensReplaced => "TOKENS_REPLACED",
        }
    }

    /// Whether the commit emits `user.updated`, unless a use case has emitted an event of the user.
    pub fn is_user_update(self) -> bool {
        matches!(self, Self::RolesChanged | Self::AccountDisabled)
    }
}

/// Which access tokens a cut-off revokes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All tokens issued before the commit; holds the latest `iat` among them.
    All(Timestamp),
    /// Tokens with an `iat` up to this time.
    Until(Timestamp),
}

/// A cut-off that the commit writes.
#[derive(Debug, Clone, Copy)]
pub struct CutOff {
    /// Row id of the user.
    pub user_id: i64,
    /// Public id of the user.
    pub user_uid: Uuid,
    /// The tokens it revokes.
    pub extent: Extent,
    /// The user's current cut-off.
    pub previous: Option<Timestamp>,
    /// The cause.
    pub cause: Cause,
}

/// Revokes all access tokens issued to the user before the transaction ends; locks the user's row until then.
pub async fn revoke_issued_tokens(db: &impl TracksRevocations, user_id: i64, cause: Cause) -> Result<()> {
    let Some(user) = user_locks::lock_by_id(db, user_id).await? else { return Ok(()) };
    let extent = Extent::All(sessions::latest_issued_at(db, user.id, SessionState::Any).await?);
    db.mark_cut_off(CutOff { user_id, user_uid: user.uid, extent, previous: user.cut_off_at, cause });
    Ok(())
}

/// Revokes the access tokens of the user's ended sessions by their latest `iat`, so that tokens issued since, also in
/// this transaction, stay valid; locks the user's row until the transaction ends.
pub async fn revoke_tokens_of_ended_sessions(db: &impl TracksRevocations, user_id: i64) -> Result<()> {
    let Some(user) = user_locks::lock_by_id(db, user_id).await? else { return Ok(()) };
    let extent = Extent::Until(sessions::latest_issued_at(db, user.id, SessionState::Ended).await?);
    let cause = Cause::SessionsEnded;
    db.mark_cut_off(CutOff { user_id, user_uid: user.uid, extent, previous: user.cut_off_at, cause });
    Ok(())
}

/// Sets the cut-off of a user whose row is locked.
pub async fn update(db: &impl TracksChanges, user_id: i64, cut_off: Timestamp) -> Result<()> {
    let row = user::ActiveModel { cut_off_at: Set(Some(cut_off)), ..Default::default() };
    user::Entity::update_many().set(row).filter(user::Column::Id.eq(user_id)).exec(db).await?;
    db.mark_changed(Affected::User(user_id), Propagation::AllNodes);
    Ok(())
}
