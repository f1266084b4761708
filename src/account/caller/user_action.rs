//! Authorization of changes to a user or to a user's sessions and API tokens.

use entity::user;

use super::requester::Caller;
use crate::account::access::grants;
use crate::account::access::rule::{self, Rule};
use crate::account::names::id::UserId;
use crate::error::{Error, Refusal, RefusalCode, Result};
use crate::store::{Connection, TracksChanges, users};

/// An action on a user, or on a session or an API token of that user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::account) enum UserAction {
    /// Change the names, the e-mail address or the flags.
    Update,
    /// Record the last login and nothing else: dialect corvus, `PATCH /user/{name}`.
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
    /// Revoke or disable an API token, or shorten its lifetime.
    RestrictApiToken,
    /// Change an API token in any other way, which can extend its rights.
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

    /// Whether an API token can perform the action on its own user.
    const fn is_allowed_to_own_api_token(self) -> bool {
        matches!(self, Self::RecordLogin | Self::EndSession | Self::RestrictApiToken)
    }
}

/// Whether `caller` can see an object of `owner` for `action`: as its owner in a session, or by permission and tenant.
/// If not, the session or the API token reads as missing.
pub(in crate::account) fn can_reach(caller: &Caller, action: UserAction, owner: &user::Model) -> bool {
    let rule = action.rule();
    is_owner_in_session(caller, rule, owner) || rule.allows(caller) && caller.scope(rule).contains(owner.tenant_id)
}

fn is_owner_in_session(caller: &Caller, rule: Rule, owner: &user::Model) -> bool {
    rule.is_open_to_owner && caller.user.id == owner.id && caller.session().is_some()
}

/// Requires, for `action` on `owner` or on an object of `owner`, that the caller
/// - is the owner in a session, for sessions and API tokens;
/// - or holds the permission, has the tenant in scope, and covers the owner's permissions.
///
/// An API token cannot manage its own user: at most it ends sessions and restricts tokens. Only the owner extends an
/// API token, and no user replaces their own password without the current one (ASVS 6.2.3).
///
/// # Errors
/// [`Error::Forbidden`]; [`Error::PasswordChangeRequired`]; [`Error::BadUserInput`] for the caller's own password.
pub(in crate::account) async fn authorize(
    db: &impl Connection,
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
    let access = grants::access_of(db, owner.id).await?;
    if caller.access.covers(&access.permissions) { Ok(()) } else { Err(Error::Forbidden) }
}

/// Requires, before a role is reduced or renamed, that the caller covers the permissions of all its holders.
///
/// # Errors
/// [`Error::Forbidden`].
pub(in crate::account) async fn authorize_for_holders(
    db: &impl Connection,
    caller: &Caller,
    holders: &[user::Model],
) -> Result<()> {
    let accesses = grants::access_of_many(db, holders.iter().map(|holder| holder.id).collect()).await?;
    let are_covered = accesses.values().all(|access| caller.access.covers(&access.permissions));
    if are_covered { Ok(()) } else { Err(Error::Forbidden) }
}

/// The user with this id, if `caller` may perform `action`.
///
/// # Errors
/// As [`authorize`]; a user out of scope reads as missing.
pub(in crate::account) async fn find_manageable(
    db: &impl Connection,
    caller: &Caller,
    action: UserAction,
    user_id: UserId,
) -> Result<user::Model> {
    let user = users::find(db, caller.scope(action.rule()), user_id.uuid()).await?.ok_or_else(missing)?;
    authorize(db, caller, action, &user).await?;
    Ok(user)
}

/// As [`find_manageable`], with the user's row locked until the transaction ends.
///
/// # Errors
/// As [`find_manageable`].
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
