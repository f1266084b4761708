//! Administration: users made, changed, disabled and deleted by those who may.

use chrono::{DateTime, Utc};
use entity::session::EndReason;
use entity::tenant;
use entity::timestamp::Timestamp;
use entity::user::{self, Status};

use super::email::Email;
use super::id::{TenantId, UserId};
use super::name::Name;
use super::query::{FieldErrors, NewUser, insert, lock, reload, require_active_admin, version_conflict};
use super::username::Username;
use crate::account::access::authorization::{self, UserAction};
use crate::account::access::role::assignable;
use crate::account::access::rule;
use crate::account::access::tenant::{lock_own_tenant, lock_tenant};
use crate::account::authentication::password::check_policy;
use crate::account::authentication::session::end_all;
use crate::account::caller::requester::{Caller, Requester};
use crate::account::event::audit::AuditEvent;
use crate::account::event::unit_of_work::{DomainEvent, UnitOfWork};
use crate::app::App;
use crate::config::RegistrationMode;
use crate::error::{Refusal, RefusalCode, Result};
use crate::store::roles;
use crate::store::users::{self, Changes};

/// Makes an account in the caller's tenant, with roles that the caller covers.
///
/// # Errors
/// Refuses callers without the permission, names that are taken, weak passwords, unknown roles.
pub async fn create(app: &App, requester: &Requester, input: NewUser, role_names: Vec<String>) -> Result<user::Model> {
    create_in_tenant(app, requester, input, role_names, None).await
}

/// Makes an account in a tenant that the caller reaches, the caller's own if none is named.
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
    let caller = requester.authorize(rule::WRITE_USERS)?;
    if !role_names.is_empty() {
        requester.authorize(rule::ASSIGN_ROLES)?;
    }
    if app.config.registration.mode == RegistrationMode::Closed {
        return Err(Refusal::new(RefusalCode::RegistrationClosed, "no accounts are made here").into());
    }
    check_policy(app, &input.password, input.forbidden_names(), "password").await?;
    let hash = app.hasher.hash(&input.password).await?;
    let now = app.clock.now();
    app.db
        .retry(|| async {
            let (tx, caller) = UnitOfWork::begin_as(app, caller, rule::WRITE_USERS, now).await?;
            if !role_names.is_empty() {
                caller.require(rule::ASSIGN_ROLES)?;
            }
            let tenant = match tenant {
                Some(id) => lock_tenant(&tx, &caller, rule::WRITE_USERS, id).await?,
                None => lock_own_tenant(&tx, &caller).await?,
            };
            let is_disabled = tenant.status == tenant::Status::Disabled;
            let chosen = assignable(&tx, &caller, &role_names, tenant.id).await?;
            let user = insert(&tx, app, &input, hash.clone(), (tenant.id, is_disabled), now).await?;
            roles::insert_of_user(&tx, user.id, &chosen.iter().map(|role| role.row.id).collect()).await?;
            let names: Vec<&str> = chosen.iter().map(|role| role.row.name.as_str()).collect();
            AuditEvent::success("user.create")
                .by_caller(&caller)
                .on_user(&user)
                .with("roles", names)
                .record(&tx, app, &requester.context, now)
                .await?;
            tx.emit(DomainEvent::UserCreated(user.clone()));
            tx.commit().await?;
            Ok(user)
        })
        .await
}

/// What an administrator changes about a user; what is not given stays, `Some(None)` clears.
#[derive(Debug, Default)]
pub struct UpdateUser {
    /// The new username.
    pub username: Option<Username>,
    /// The new e-mail address.
    pub email: Option<Option<Email>>,
    /// The new display name.
    pub display_name: Option<Option<Name>>,
    /// Whether the owner has to choose a new password before anything else.
    pub must_change_password: Option<bool>,
    /// When somebody last signed in to the account, for older callers that write it.
    pub last_login_at: Option<DateTime<Utc>>,
    /// The version that the change is meant for; another one is a conflict.
    pub version: Option<i64>,
}

impl UpdateUser {
    /// Parses what somebody typed; every field that is wrong is told.
    ///
    /// # Errors
    /// One refusal per wrong field.
    pub fn parse(
        username: Option<&str>,
        email: Option<Option<&str>>,
        display_name: Option<Option<&str>>,
    ) -> Result<Self> {
        let mut findings = FieldErrors::default();
        let username = findings.collect("username", username.map(Username::parse).transpose());
        let email = findings.collect("email", email.map(|text| text.map(Email::parse).transpose()).transpose());
        let display_name =
            findings.collect("displayName", display_name.map(|text| text.map(Name::parse).transpose()).transpose());
        match (username, email, display_name) {
            (Some(username), Some(email), Some(display_name)) => {
                Ok(Self { username, email, display_name, ..Self::default() })
            }
            _ => Err(findings.into()),
        }
    }

    /// What it does to the user.
    fn action(&self) -> UserAction {
        let Self { username, email, display_name, must_change_password, last_login_at: _, version: _ } = self;
        let changes = username.is_some() || email.is_some() || display_name.is_some() || must_change_password.is_some();
        if changes { UserAction::Update } else { UserAction::RecordLogin }
    }

    /// What that changes in the row.
    pub(in crate::account) fn changes(self) -> Changes {
        Changes {
            username: self.username.map(|name| (name.as_str().to_owned(), name.key())),
            email: self.email.map(|email| email.map(|email| (email.to_string(), email.key()))),
            display_name: self.display_name.map(|name| name.map(|name| (name.as_str().to_owned(), name.key()))),
            must_change_password: self.must_change_password,
            last_login_at: self.last_login_at.map(Timestamp::from),
        }
    }
}

/// Changes a user's names and what else [`UpdateUser`] holds.
///
/// # Errors
/// Refuses callers without the permission or with less power than the user, and names that are taken.
pub async fn update(app: &App, requester: &Requester, user_id: UserId, input: UpdateUser) -> Result<user::Model> {
    let caller = requester.authorize(rule::WRITE_USERS)?;
    let now = app.clock.now();
    let version = input.version;
    let act = input.action();
    let changes = input.changes();
    app.db
        .retry(|| async {
            let (tx, caller) = UnitOfWork::begin_as(app, caller, rule::WRITE_USERS, now).await?;
            let user = authorization::lock_manageable(&tx, &caller, act, user_id).await?;
            if version.is_some_and(|version| version != user.version) {
                return Err(version_conflict());
            }
            if changes.is_noop_for(&user) {
                return Ok(user);
            }
            let new_key = changes.email.as_ref().map(|email| email.as_ref().map(|(_, key)| key));
            let moves = user.email_key.is_some() && new_key.is_some_and(|key| key != user.email_key.as_ref());
            if !users::update_account(&tx, &user, changes.clone(), now).await? {
                return Err(version_conflict());
            }
            if moves {
                // Whoever had the account by its old address is to prove that it is theirs (promise S13).
                let own = caller.session().filter(|session| session.user_id == user.id).map(|session| session.id);
                end_all(&tx, &user, own, EndReason::Revoked, now).await?;
            }
            AuditEvent::success("user.update")
                .by_caller(&caller)
                .on_user(&user)
                .record(&tx, app, &requester.context, now)
                .await?;
            let user = reload(&tx, &user).await?;
            tx.emit(DomainEvent::UserUpdated(user.clone()));
            tx.commit().await?;
            Ok(user)
        })
        .await
}

/// Lets a user sign in or not; disabling ends all sessions at once.
///
/// # Errors
/// Refuses callers without the permission or with less power than the user, and to disable the last administrator.
pub async fn set_status(app: &App, requester: &Requester, user_id: UserId, status: Status) -> Result<user::Model> {
    let caller = requester.authorize(rule::WRITE_USERS)?;
    let now = app.clock.now();
    app.db
        .retry(|| async {
            let (tx, caller) = UnitOfWork::begin_as(app, caller, rule::WRITE_USERS, now).await?;
            roles::lock_built_in(&tx).await?;
            let user = authorization::lock_manageable(&tx, &caller, UserAction::SetStatus, user_id).await?;
            if user.status == status {
                return Ok(user);
            }
            if !users::update_status(&tx, &user, status, now).await? {
                return Err(version_conflict());
            }
            if status == Status::Disabled {
                end_all(&tx, &user, None, EndReason::AccountDisabled, now).await?;
                require_active_admin(&tx).await?;
            }
            let name = match status {
                Status::Active => "ACTIVE",
                Status::Disabled => "DISABLED",
            };
            AuditEvent::success("user.status")
                .by_caller(&caller)
                .on_user(&user)
                .with("status", name)
                .record(&tx, app, &requester.context, now)
                .await?;
            let user = reload(&tx, &user).await?;
            tx.emit(DomainEvent::UserUpdated(user.clone()));
            tx.commit().await?;
            Ok(user)
        })
        .await
}

/// Deletes a user with all sessions and roles; the audit record stays.
///
/// # Errors
/// Refuses callers without the permission or with less power than the user, and to delete the last administrator.
pub async fn delete(app: &App, requester: &Requester, user_id: UserId) -> Result<UserId> {
    let caller = requester.authorize(rule::DELETE_USERS)?;
    let now = app.clock.now();
    app.db
        .retry(|| async {
            let (tx, caller) = UnitOfWork::begin_as(app, caller, rule::DELETE_USERS, now).await?;
            roles::lock_built_in(&tx).await?;
            let user = authorization::lock_manageable(&tx, &caller, UserAction::Delete, user_id).await?;
            delete_in_transaction(app, requester, &caller, tx, user, now).await?;
            Ok(user_id)
        })
        .await
}

/// Deletes the caller's own account.
///
/// # Errors
/// Refuses callers who are not in a session of their own, and the last administrator.
pub async fn delete_own(app: &App, requester: &Requester) -> Result<()> {
    let caller = requester.authorize(rule::DELETE_OWN_USER)?;
    let now = app.clock.now();
    app.db
        .retry(|| async {
            let (tx, caller) = UnitOfWork::begin_as(app, caller, rule::DELETE_OWN_USER, now).await?;
            roles::lock_built_in(&tx).await?;
            let user = lock(&tx, &caller.user).await?;
            delete_in_transaction(app, requester, &caller, tx, user, now).await
        })
        .await
}

async fn delete_in_transaction(
    app: &App,
    requester: &Requester,
    caller: &Caller,
    tx: UnitOfWork,
    user: user::Model,
    now: DateTime<Utc>,
) -> Result<()> {
    // The sessions go with the user; what was revoked stays listed for those who verify tokens themselves.
    users::lock_by_id(&tx, user.id).await?;
    end_all(&tx, &user, None, EndReason::Revoked, now).await?;
    if !users::delete(&tx, &user).await? {
        return Err(version_conflict());
    }
    require_active_admin(&tx).await?;
    AuditEvent::success("user.delete")
        .by_caller(caller)
        .on_user(&user)
        .record(&tx, app, &requester.context, now)
        .await?;
    tx.emit(DomainEvent::UserDeleted(user));
    tx.commit().await?;
    Ok(())
}
