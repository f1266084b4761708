//! Creation, update, status and deletion of users by administrators.

use chrono::{DateTime, Utc};
use entity::session::EndReason;
use entity::user::{self, Status};

use super::role::assignable;
use super::tenant::{lock_own_tenant, lock_tenant};
use crate::account::access::{grants, rule};
use crate::account::authentication::password_policy::check_policy;
use crate::account::authentication::session_end::end_all;
use crate::account::caller::requester::{Caller, Requester};
use crate::account::caller::user_action::{self, UserAction};
use crate::account::event::audit::AuditEvent;
use crate::account::event::audit_action::AuditAction;
use crate::account::event::domain_event::DomainEvent;
use crate::account::event::unit_of_work::UnitOfWork;
use crate::account::names::id::{TenantId, UserId};
use crate::account::user::locking::{lock, require_active_admin};
use crate::account::user::new_user::{NewUser, UserTenant, insert};
use crate::account::user::update::UpdateUser;
use crate::app::App;
use crate::config::RegistrationMode;
use crate::error::{Refusal, RefusalCode, Result};
use crate::store::{roles, users};

/// Creates a user in the caller's tenant, with roles that the caller's permissions cover.
///
/// # Errors
/// Refuses callers without the permission, names that are taken, weak passwords, unknown roles.
pub async fn create(app: &App, requester: &Requester, input: NewUser, role_names: Vec<String>) -> Result<user::Model> {
    create_in_tenant(app, requester, input, role_names, None).await
}

/// Creates a user in a tenant within the caller's scope, by default the caller's own.
///
/// # Errors
/// As [`create`], and unknown tenants.
pub async fn create_in_tenant(
    app: &App,
    requester: &Requester,
    input: NewUser,
    role_names: Vec<String>,
    tenant: Option<TenantId>,
) -> Result<user::Model> {
    requester.authorize(rule::WRITE_USERS)?;
    if !role_names.is_empty() {
        requester.authorize(rule::ASSIGN_ROLES)?;
    }
    if app.config.registration.mode == RegistrationMode::Closed {
        return Err(
            Refusal::new(RefusalCode::RegistrationClosed, "registration is closed: users cannot be created").into()
        );
    }
    check_policy(app, &input.password, input.forbidden_names(), "password").await?;
    let hash = app.hasher.hash(&input.password).await?;
    let now = app.clock.now();
    app.write_admins_as(requester, rule::WRITE_USERS, now, async |tx, caller| {
        if !role_names.is_empty() {
            caller.require(rule::ASSIGN_ROLES)?;
        }
        let tenant = match tenant {
            Some(id) => lock_tenant(&tx, &caller, rule::WRITE_USERS, id).await?,
            None => lock_own_tenant(&tx, &caller).await?,
        };
        let chosen = assignable(&tx, &caller, &role_names, tenant.id).await?;
        let user = insert(&tx, app, &input, hash.clone(), UserTenant::from(&tenant), now).await?;
        roles::insert_of_user(&tx, user.id, &chosen.iter().map(|role| role.row.id).collect()).await?;
        let names: Vec<&str> = chosen.iter().map(|role| role.row.name.as_str()).collect();
        tx.record(AuditEvent::success(AuditAction::UserCreate).by_caller(&caller).on_user(&user).with("roles", names))
            .await?;
        tx.emit(DomainEvent::UserCreated(user.clone()));
        tx.commit(user).await
    })
    .await
}

/// Applies [`UpdateUser`] to a user.
///
/// # Errors
/// Refuses callers without the permission or with fewer permissions than the user, and names that are taken.
pub async fn update(app: &App, requester: &Requester, user_id: UserId, input: UpdateUser) -> Result<user::Model> {
    requester.authorize(rule::WRITE_USERS)?;
    let now = app.clock.now();
    let version = input.version;
    let action = input.action();
    let changes = input.changes();
    app.write_as(requester, rule::WRITE_USERS, now, async |tx, caller| {
        let user = user_action::lock_manageable(&tx, &caller, action, user_id).await?;
        if version.is_some_and(|version| version != user.version) {
            return Err(users::version_conflict());
        }
        if changes.is_noop_for(&user) {
            return Ok(tx.roll_back(user));
        }
        let new_key = changes.email.as_ref().map(|email| email.as_ref().map(|(_, key)| key));
        let changes_address = user.email_key.is_some() && new_key.is_some_and(|key| key != user.email_key.as_ref());
        let user = users::update_account(&tx, &user, changes.clone(), now).await?;
        if changes_address {
            // The holder of the old address must log in again to show that they still own the account (promise
            // S13).
            let own = caller.session().filter(|session| session.user_id == user.id).map(|session| session.id);
            end_all(&tx, &user, own, EndReason::Revoked, now).await?;
        }
        tx.record(AuditEvent::success(AuditAction::UserUpdate).by_caller(&caller).on_user(&user)).await?;
        tx.emit(DomainEvent::UserUpdated(user.clone()));
        tx.commit(user).await
    })
    .await
}

/// Enables or disables a user; disabling ends all sessions at once.
///
/// # Errors
/// Refuses callers without the permission or with fewer permissions than the user, and to disable the last
/// administrator.
pub async fn set_status(app: &App, requester: &Requester, user_id: UserId, status: Status) -> Result<user::Model> {
    requester.authorize(rule::WRITE_USERS)?;
    let now = app.clock.now();
    app.write_admins_as(requester, rule::WRITE_USERS, now, async |tx, caller| {
        let user = user_action::lock_manageable(&tx, &caller, UserAction::SetStatus, user_id).await?;
        if user.status == status {
            return Ok(tx.roll_back(user));
        }
        let user = users::update_status(&tx, &user, status, now).await?;
        if status == Status::Disabled {
            end_all(&tx, &user, None, EndReason::AccountDisabled, now).await?;
            require_active_admin(&tx).await?;
        }
        let name = match status {
            Status::Active => "ACTIVE",
            Status::Disabled => "DISABLED",
        };
        tx.record(AuditEvent::success(AuditAction::UserStatus).by_caller(&caller).on_user(&user).with("status", name))
            .await?;
        tx.emit(DomainEvent::UserUpdated(user.clone()));
        tx.commit(user).await
    })
    .await
}

/// Deletes a user with all sessions and role assignments; audit events stay.
///
/// # Errors
/// Refuses callers without the permission or with fewer permissions than the user, and to delete the last
/// administrator.
pub async fn delete(app: &App, requester: &Requester, user_id: UserId) -> Result<UserId> {
    requester.authorize(rule::DELETE_USERS)?;
    let now = app.clock.now();
    app.write_admins_as(requester, rule::DELETE_USERS, now, async |tx, caller| {
        let user = user_action::lock_manageable(&tx, &caller, UserAction::Delete, user_id).await?;
        delete_in_transaction(&tx, &caller, user, now).await?;
        tx.commit(user_id).await
    })
    .await
}

/// Deletes the caller's own user.
///
/// # Errors
/// Refuses callers without a session, and the last administrator.
pub async fn delete_own(app: &App, requester: &Requester) -> Result<()> {
    requester.authorize(rule::DELETE_OWN_USER)?;
    let now = app.clock.now();
    app.write_admins_as(requester, rule::DELETE_OWN_USER, now, async |tx, caller| {
        let user = lock(&tx, &caller.user).await?;
        delete_in_transaction(&tx, &caller, user, now).await?;
        tx.commit(()).await
    })
    .await
}

async fn delete_in_transaction(
    tx: &UnitOfWork<'_>,
    caller: &Caller,
    user: user::Model,
    now: DateTime<Utc>,
) -> Result<()> {
    // The sessions are deleted with the user; their revocations stay listed for external verifiers.
    users::lock_by_id(tx, user.id).await?;
    end_all(tx, &user, None, EndReason::Revoked, now).await?;
    let roles = grants::access_of(tx, user.id).await?.roles;
    users::delete(tx, &user).await?;
    require_active_admin(tx).await?;
    tx.record(AuditEvent::success(AuditAction::UserDelete).by_caller(caller).on_user(&user)).await?;
    tx.emit(DomainEvent::UserDeleted(user, roles));
    Ok(())
}
