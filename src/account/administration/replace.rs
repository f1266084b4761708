//! Replacement of a whole user, and password reset without the current password.

use chrono::{DateTime, Utc};
use entity::session::EndReason;
use entity::user::{self, Status};
use secrecy::SecretString;

use super::role::assignable;
use crate::account::access::rule;
use crate::account::authentication::credentials;
use crate::account::authentication::password_policy::{check_policy, forbidden_names};
use crate::account::authentication::password_reset::{self, PasswordValidity};
use crate::account::authentication::session_end::{ApiTokenSelection, end_all, end_all_and_api_tokens};
use crate::account::caller::rate_limit::limit_own_change;
use crate::account::caller::requester::{Caller, Requester};
use crate::account::caller::user_action::{self, UserAction};
use crate::account::event::audit::AuditEvent;
use crate::account::event::audit_action::AuditAction;
use crate::account::event::domain_event::DomainEvent;
use crate::account::event::unit_of_work::UnitOfWork;
use crate::account::names::id::UserId;
use crate::account::names::identifier::Identifier;
use crate::account::user::handle;
use crate::account::user::locking::require_active_admin;
use crate::account::user::update::UpdateUser;
use crate::app::App;
use crate::error::{Refusal, RefusalCode, Result};
use crate::store::{roles, users};

/// The complete new state of a user.
#[derive(Debug)]
pub struct ReplaceUser {
    /// The names.
    pub changes: UpdateUser,
    /// Whether the user can log in.
    pub status: Status,
    /// The password; absent, it stays.
    pub password: Option<SecretString>,
    /// The role names; absent, they stay.
    pub roles: Option<Vec<String>>,
}

/// Replaces a user atomically by `input`.
///
/// # Errors
/// Refuses callers without the permissions or with fewer permissions than the user or the roles, and the caller's own
/// password. Refuses names that are taken, a weak password, and to remove the last administrator.
pub async fn replace(app: &App, requester: &Requester, user_id: UserId, input: ReplaceUser) -> Result<user::Model> {
    let caller = requester.authorize(rule::WRITE_USERS)?;
    if input.roles.is_some() {
        requester.authorize(rule::ASSIGN_ROLES)?;
    }
    if input.password.is_some() && caller.user_id() == user_id {
        let message = "change your own password in a separate request";
        return Err(Refusal::new(RefusalCode::WrongPassword, message).for_field("password").into());
    }
    let hash = hash_new_password(app, caller, user_id, &input).await?;
    let now = app.clock.now();
    let changes = input.changes.changes();
    app.write_admins_as(requester, rule::WRITE_USERS, now, async |tx, caller| {
        let before = user_action::lock_manageable(&tx, &caller, UserAction::Update, user_id).await?;
        let actions = [
            (input.status != before.status).then_some(UserAction::SetStatus),
            hash.as_ref().map(|_| UserAction::SetPassword),
            input.roles.as_ref().map(|_| UserAction::SetRoles),
        ];
        for action in actions.into_iter().flatten() {
            user_action::authorize(&tx, &caller, action, &before).await?;
        }
        let mut user = users::update_account(&tx, &before, changes.clone(), now).await?;
        if user.status != input.status {
            user = users::update_status(&tx, &user, input.status, now).await?;
        }
        let (has_password, has_roles) = (hash.is_some(), input.roles.is_some());
        if let Some(hash) = hash.clone() {
            user = users::update_password(&tx, &user, hash, false, now).await?;
        }
        if let Some(names) = &input.roles {
            let chosen = assignable(&tx, &caller, names, user.tenant_id).await?;
            roles::replace_of_user(&tx, user.id, &chosen.iter().map(|role| role.row.id).collect()).await?;
        }
        end_sessions(&tx, &caller, &before, &user, hash.as_deref(), now).await?;
        if has_roles || input.status == Status::Disabled {
            require_active_admin(&tx).await?;
        }
        tx.record(
            AuditEvent::success(AuditAction::UserReplace)
                .by_caller(&caller)
                .on_user(&user)
                .with("password", has_password)
                .with("roles", has_roles),
        )
        .await?;
        tx.emit(DomainEvent::UserUpdated(user.clone()));
        tx.commit(user).await
    })
    .await
}

async fn hash_new_password(app: &App, caller: &Caller, user_id: UserId, input: &ReplaceUser) -> Result<Option<String>> {
    let Some(password) = &input.password else { return Ok(None) };
    let user = user_action::find_manageable(app.db.reader(), caller, UserAction::SetPassword, user_id).await?;
    check_policy(app, password, forbidden_names(&user), "password").await?;
    Ok(Some(app.hasher.hash(password).await?))
}

/// Ends the sessions that the change from `before` to `after` invalidates.
async fn end_sessions(
    tx: &UnitOfWork<'_>,
    caller: &Caller,
    before: &user::Model,
    after: &user::Model,
    new_hash: Option<&str>,
    now: DateTime<Utc>,
) -> Result<()> {
    let own = caller.session().filter(|session| session.user_id == after.id).map(|session| session.id);
    // As `setUserPassword` by an administrator, and as `updatePassword` by the user.
    let tokens = ApiTokenSelection::from_flag(new_hash.is_some() && caller.user.id != after.id);
    if after.status == Status::Disabled {
        end_all_and_api_tokens(tx, after, None, tokens, EndReason::AccountDisabled, now).await?;
    } else if new_hash.is_some() {
        end_all_and_api_tokens(tx, after, own, tokens, EndReason::PasswordChanged, now).await?;
    } else if before.email_key.is_some() && before.email_key != after.email_key {
        // The holder of the old address must log in again to show that they still own the account (promise S13).
        end_all(tx, after, own, EndReason::Revoked, now).await?;
    }
    Ok(())
}

/// Sets the caller's own password without the current one or, with the permission, that of the user who logs in with
/// `name`. Other sessions of the user end.
///
/// # Errors
/// Refuses callers without a session, names of no user in the caller's scope, and weak passwords.
pub async fn reset_password(
    app: &App,
    requester: &Requester,
    name: &str,
    password: SecretString,
) -> Result<user::Model> {
    // Not `authorize`: a required password change happens here.
    let caller = requester.authenticated()?;
    let name = Identifier::new(name);
    if handle::matches(&caller.user, &name) {
        return reset_own_password(app, requester, caller, password).await;
    }
    let caller = requester.authorize(rule::WRITE_USERS)?;
    let found = credentials::find_user(app.db.reader(), caller.scope(rule::WRITE_USERS), &name).await?;
    let missing = || Refusal::new(RefusalCode::NotFound, "there is no such user").for_field("email");
    let user = found.ok_or_else(missing)?;
    password_reset::set(app, requester, user.uid.into(), password, PasswordValidity::Permanent, ApiTokenSelection::All)
        .await
}

async fn reset_own_password(
    app: &App,
    requester: &Requester,
    caller: &Caller,
    password: SecretString,
) -> Result<user::Model> {
    let (user, session) = (&caller.user, caller.require_session()?);
    requester.context.take_credential_check()?;
    limit_own_change(app, caller, rule::UPDATE_PASSWORD, app.clock.now()).await?;
    check_policy(app, &password, forbidden_names(user), "password").await?;
    let stored = user.password_hash.as_ref().map(|hash| hash.expose());
    if user.must_change_password && app.hasher.verify(&password, stored).await?.is_match {
        return Err(Refusal::new(RefusalCode::SamePassword, "choose another password").for_field("password").into());
    }
    let hash = app.hasher.hash(&password).await?;
    let now = app.clock.now();
    app.write_as(requester, rule::UPDATE_PASSWORD, now, async |tx, caller| {
        let before = caller.user;
        // Conflict: the password changed since the request was authenticated.
        if before.password_hash != user.password_hash {
            return Err(users::version_conflict());
        }
        let user = users::update_password(&tx, &before, hash.clone(), false, now).await?;
        end_all(&tx, &user, Some(session.id), EndReason::PasswordChanged, now).await?;
        tx.record(AuditEvent::success(AuditAction::PasswordReset).by_user(&user).on_user(&user).in_session(session))
            .await?;
        tx.emit(DomainEvent::UserUpdated(user.clone()));
        tx.commit(user).await
    })
    .await
}
