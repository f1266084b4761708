//! Cut-offs: access tokens of a user that were issued up to one are not valid for other services.
//!
//! Whoever issues an access token holds the lock of its user's row and stores the `iat` in the session. Whoever takes a
//! cut-off holds the same lock, so that every token issued from what is about to change is known by then, whatever the
//! clock of the node that issued it says.

use entity::timestamp::Timestamp;
use entity::user;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use uuid::Uuid;

use super::{Affected, Propagation, TracksChanges, sessions, users};
use crate::error::Result;

/// A transaction that publishes revocations with its commit. Statements that make access tokens wrong run on nothing
/// else, so that no use case can forget to publish it.
pub trait TracksRevocations: TracksChanges {
    /// The revocation list is another one with the commit.
    fn mark_revocations_changed(&self);
    /// The commit writes this cut-off.
    fn mark_cut_off(&self, cut_off: CutOff);
}

/// Why access tokens of a user are not valid any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The user has other roles.
    RolesChanged,
    /// The user has another username.
    UsernameChanged,
    /// The user cannot sign in.
    AccountDisabled,
    /// There is no such user.
    AccountDeleted,
    /// Too many sessions ended to list each.
    SessionsEnded,
    /// Several access tokens of one session were replaced.
    TokensReplaced,
}

impl Cause {
    /// Its name in the table.
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

    /// Whether the user is another one than before.
    pub fn is_user_update(self) -> bool {
        matches!(self, Self::RolesChanged | Self::AccountDisabled)
    }
}

/// Which access tokens a cut-off revokes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All that were issued before the commit; the latest `iat` among them.
    All(Timestamp),
    /// Those whose `iat` is not later.
    Until(Timestamp),
}

/// A cut-off that the commit writes.
#[derive(Debug, Clone, Copy)]
pub struct CutOff {
    /// The user's number.
    pub user_id: i64,
    /// The user's public id.
    pub user_uid: Uuid,
    /// Which tokens.
    pub extent: Extent,
    /// The cut-off until now.
    pub previous: Option<Timestamp>,
    /// Why.
    pub cause: Cause,
}

/// Revokes all access tokens that were issued to the user until the transaction ends; locks the user's row until then.
pub async fn revoke_issued_tokens(db: &impl TracksRevocations, user_id: i64, cause: Cause) -> Result<()> {
    let Some(user) = users::lock_by_id(db, user_id).await? else { return Ok(()) };
    let extent = Extent::All(sessions::latest_issued_at(db, user.id).await?);
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
