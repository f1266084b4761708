//! Accounts written over as a whole, and passwords without the old one: what callers of older services ask for.

use entity::session::EndReason;
use entity::user::{self, Status};
use secrecy::SecretString;

use super::administration::UpdateUser;
use super::handle;
use super::id::UserId;
use super::identifier::Identifier;
use super::query::{reload, require_active_admin, version_conflict};
use crate::account::access::authorization::{self, UserAction};
use crate::account::access::role::assignable;
use crate::account::access::rule;
use crate::account::authentication::login;
use crate::account::authentication::password::{self, check_policy, forbidden_names};
use crate::account::authentication::password_attempt::limit_own_change;
use crate::account::authentication::session::{ApiTokenSelection, end_all, end_all_and_api_tokens};
use crate::account::caller::requester::{Caller, Requester};
use crate::account::event::audit::AuditEvent;
use crate::account::event::unit_of_work::{DomainEvent, UnitOfWork};
use crate::app::App;
use crate::error::{Refusal, RefusalCode, Result};
use crate::store::{roles, users};

/// All that an account shall be.
#[derive(Debug)]
pub struct ReplaceUser {
    /// Its names.
    pub changes: UpdateUser,
    /// Whether it can sign in.
    pub status: Status,
    /// Its password; the old one stays if none is given.
    pub password: Option<SecretString>,
    /// The names of its roles; the old ones stay if none are given.
    pub roles: Option<Vec<String>>,
}

/// Changes a user to what `input` says, all of it or nothing.
///
/// # Errors
/// Refuses callers without the permissions or with less power than the user or the roles have, one's own password, names
/// that are taken, a weak password, and to take the last administrator away.
pub async fn replace(app: &App, requester: &Requester, user_id: UserId, input: ReplaceUser) -> Result<user::Model> {
    let caller = requester.authorize(rule::WRITE_USERS)?;
    if input.roles.is_some() {
        requester.authorize(rule::ASSIGN_ROLES)?;
    }
    if input.password.is_some() && caller.user_id() == user_id {
        let message = "your own password does not change together with other fields: change it by itself";
        return Err(Refusal::new(RefusalCode::WrongPassword, message).for_field("password").into());
    }
    let hash = match &input.password {
        Some(password) => {
            let user =
                authorization::find_manageable(app.db.reader(), caller, UserAction::SetPassword, user_id).await?;
            check_policy(app, password, forbidden_names(&user), "password").await?;
            Some(app.hasher.hash(password).await?)
        }
        None => None,
    };
    let now = app.clock.now();
    let changes = input.changes.changes();
    app.db
        .retry(|| async {
            let (tx, caller) = UnitOfWork::begin_as(app, caller, rule::WRITE_USERS, now).await?;
            roles::lock_built_in(&tx).await?;
            let before = authorization::lock_manageable(&tx, &caller, UserAction::Update, user_id).await?;
            let acts = [
                (input.status != before.status).then_some(UserAction::SetStatus),
                hash.as_ref().map(|_| UserAction::SetPassword),
                input.roles.as_ref().map(|_| UserAction::SetRoles),
            ];
            for act in acts.into_iter().flatten() {
                authorization::authorize(&tx, &caller, act, &before).await?;
            }
            if !users::update_account(&tx, &before, changes.clone(), now).await? {
                return Err(version_conflict());
            }
            let mut user = reload(&tx, &before).await?;
            if user.status != input.status {
                users::update_status(&tx, &user, input.status, now).await?;
                user = reload(&tx, &user).await?;
            }
            let own = caller.session().filter(|session| session.user_id == user.id).map(|session| session.id);
            let moved = before.email_key.is_some() && before.email_key != user.email_key;
            let (has_password, has_roles) = (hash.is_some(), input.roles.is_some());
            if let Some(hash) = hash.clone() {
                users::update_password(&tx, &user, hash, false, now).await?;
                user = reload(&tx, &user).await?;
            }
            if let Some(names) = &input.roles {
                let chosen = assignable(&tx, &caller, names, user.tenant_id).await?;
                roles::replace_of_user(&tx, user.id, &chosen.iter().map(|role| role.row.id).collect()).await?;
            }
            if input.status == Status::Disabled {
                end_all(&tx, &user, None, EndReason::AccountDisabled, now).await?;
            } else if has_password {
                // As `setUserPassword` by an administrator, and as `updatePassword` by the owner.
                let tokens = ApiTokenSelection::from_flag(caller.user.id != user.id);
                end_all_and_api_tokens(&tx, &user, own, tokens, EndReason::PasswordChanged, now).await?;
            } else if moved {
                // Whoever had the account by its old address is to prove that it is theirs (promise S13).
                end_all(&tx, &user, own, EndReason::Revoked, now).await?;
            }
            if has_roles || input.status == Status::Disabled {
                require_active_admin(&tx).await?;
            }
            AuditEvent::success("user.replace")
                .by_caller(&caller)
                .on_user(&user)
                .with("password", has_password)
                .with("roles", has_roles)
                .record(&tx, app, &requester.context, now)
                .await?;
            tx.emit(DomainEvent::UserUpdated(user.clone()));
            tx.commit().await?;
            Ok(user)
        })
        .await
}

/// Sets the caller's own password without asking for the old one, as some older services do, or with the permission
/// that of whoever signs in with `name`. Other sessions of the account end.
///
/// # Errors
/// Refuses callers who are not in a session, names of nobody whom the caller reaches, and weak passwords.
pub async fn reset_password(
    app: &App,
    requester: &Requester,
    name: &str,
    password: SecretString,
) -> Result<user::Model> {
    // Not `permit`: whoever has to choose a new password does it here.
    let caller = requester.authenticated()?;
    let name = Identifier::new(name);
    if handle::matches(&caller.user, &name) {
        return reset_own_password(app, requester, caller, password).await;
    }
    let caller = requester.authorize(rule::WRITE_USERS)?;
    let found = login::find_user(app.db.reader(), caller.scope(rule::WRITE_USERS), &name).await?;
    let missing = || Refusal::new(RefusalCode::NotFound, "there is no such user").for_field("email");
    let user = found.ok_or_else(missing)?;
    password::set(app, requester, user.uid.into(), password, false, ApiTokenSelection::All).await
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
    app.db
        .retry(|| async {
            let (tx, caller) = UnitOfWork::begin_as(app, caller, rule::UPDATE_PASSWORD, now).await?;
            let before = caller.user;
            // Conflict: the password changed since the request was authenticated.
            let is_current = before.password_hash == user.password_hash;
            if !is_current || !users::update_password(&tx, &before, hash.clone(), false, now).await? {
                return Err(version_conflict());
            }
            let user = reload(&tx, &before).await?;
            end_all(&tx, &user, Some(session.id), EndReason::PasswordChanged, now).await?;
            AuditEvent::success("password.reset")
                .by_user(&user)
                .on_user(&user)
                .in_session(session)
                .record(&tx, app, &requester.context, now)
                .await?;
            tx.emit(DomainEvent::UserUpdated(user.clone()));
            tx.commit().await?;
            Ok(user)
        })
        .await
}
