//! Power over users: the one check before a caller changes a user or anything that belongs to a user.

use entity::user;
use sea_orm::ConnectionTrait;

use super::role;
use super::rule::{self, Rule};
use crate::account::caller::requester::Caller;
use crate::account::user::id::UserId;
use crate::error::{Error, Refusal, RefusalCode, Result};
use crate::store::{TracksChanges, users};

/// What a caller does to a user, or to a session or an API token of that user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::account) enum UserAction {
    /// Change the names, the e-mail address or the flags.
    Update,
    /// Record when somebody last signed in, as callers of older services do.
    RecordLogin,
    /// Enable or disable the user.
    SetStatus,
    /// Replace the roles.
    SetRoles,
    /// Replace the password without the current one.
    SetPassword,
    /// Delete the user.
    Delete,
    /// End a session.
    EndSession,
    /// Revoke an API token, switch it off, or let it end earlier.
    RestrictApiToken,
    /// Change an API token in any other way, which can give it more than it has.
    ChangeApiToken,
}

impl UserAction {
    const fn rule(self) -> Rule {
        match self {
            Self::Update | Self::RecordLogin | Self::SetStatus | Self::SetPassword => rule::WRITE_USERS,
            Self::SetRoles => rule::ASSIGN_ROLES,
            Self::Delete => rule::DELETE_USERS,
            Self::EndSession => rule::REVOKE_SESSION,
            Self::RestrictApiToken | Self::ChangeApiToken => rule::MANAGE_API_TOKENS,
        }
    }

    /// Whether an API token may do it to its own user.
    const fn is_allowed_to_own_api_token(self) -> bool {
        matches!(self, Self::RecordLogin | Self::EndSession | Self::RestrictApiToken)
    }
}

/// Whether `act` on what belongs to `owner` is open to `caller` at all. To others a session or an API token reads as
/// missing.
pub(in crate::account) fn can_reach(caller: &Caller, action: UserAction, owner: &user::Model) -> bool {
    let rule = action.rule();
    is_owner_in_session(caller, rule, owner) || rule.allows(caller) && caller.scope(rule).contains(owner.tenant_id)
}

fn is_owner_in_session(caller: &Caller, rule: Rule, owner: &user::Model) -> bool {
    rule.is_open_to_owner && caller.user.id == owner.id && caller.session().is_some()
}

/// Refuses `act` on `owner`, or on what belongs to `owner`, unless the caller
/// - is the owner in a session, for sessions and API tokens;
/// - or holds the permission, reaches the tenant, and can do all that the owner can.
///
/// An API token does not administer its own user: at most it takes sessions and tokens away. Nobody but the owner gives
/// anything to an API token, and nobody replaces their own password without the current one (ASVS 6.2.3).
///
/// # Errors
/// [`Error::Forbidden`]; [`Error::PasswordChangeRequired`]; [`Error::BadUserInput`] for one's own password.
pub(in crate::account) async fn authorize(
    db: &impl ConnectionTrait,
    caller: &Caller,
    action: UserAction,
    owner: &user::Model,
) -> Result<()> {
    if caller.user.must_change_password {
        return Err(Error::PasswordChangeRequired);
    }
    if is_owner_in_session(caller, action.rule(), owner) {
        return Ok(());
    }
    if !can_reach(caller, action, owner) || action == UserAction::ChangeApiToken {
        return Err(Error::Forbidden);
    }
    if caller.user.id == owner.id {
        if action == UserAction::SetPassword {
            let problem = "change your own password with updatePassword".to_owned();
            return Err(Error::BadUserInput { argument: "userId", problem });
        }
        if !action.is_allowed_to_own_api_token() && caller.session().is_none() {
            return Err(Error::Forbidden);
        }
    }
    let access = role::access_of(db, owner.id).await?;
    if caller.access.covers(&access.permissions) { Ok(()) } else { Err(Error::Forbidden) }
}

/// Refuses to take away or rename a role that is held by users who can do more than the caller.
///
/// # Errors
/// [`Error::Forbidden`].
pub(in crate::account) async fn authorize_for_holders(
    db: &impl ConnectionTrait,
    caller: &Caller,
    holders: &[user::Model],
) -> Result<()> {
    let accesses = role::access_of_many(db, holders.iter().map(|holder| holder.id).collect()).await?;
    let are_covered = accesses.values().all(|access| caller.access.covers(&access.permissions));
    if are_covered { Ok(()) } else { Err(Error::Forbidden) }
}

/// The user with this id, if `caller` may do `act`.
///
/// # Errors
/// As [`check`]; a user whom the caller does not reach reads as missing.
pub(in crate::account) async fn find_manageable(
    db: &impl ConnectionTrait,
    caller: &Caller,
    action: UserAction,
    user_id: UserId,
) -> Result<user::Model> {
    let user = users::find(db, caller.scope(action.rule()), user_id.uuid()).await?.ok_or_else(missing)?;
    authorize(db, caller, action, &user).await?;
    Ok(user)
}

/// The same, with the row of the user locked until the transaction ends.
///
/// # Errors
/// As [`find_user`].
pub(in crate::account) async fn lock_manageable(
    tx: &impl TracksChanges,
    caller: &Caller,
    action: UserAction,
    user_id: UserId,
) -> Result<user::Model> {
    let user = users::lock(tx, caller.scope(action.rule()), user_id.uuid()).await?.ok_or_else(missing)?;
    authorize(tx, caller, action, &user).await?;
    Ok(user)
}

fn missing() -> Refusal {
    Refusal::new(RefusalCode::NotFound, "there is no such user").for_field("userId")
}
