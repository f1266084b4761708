//! Registration: creates a user and opens its first session.

use chrono::{DateTime, Utc};
use entity::user;

use super::login_origin;
use super::password_policy::check_policy;
use super::session::{self, IssuedSession, NewSession};
use crate::account::caller::rate_limit::{NameCheck, take_from_bucket};
use crate::account::caller::request_context::RequestContext;
use crate::account::event::audit::AuditEvent;
use crate::account::event::audit_action::AuditAction;
use crate::account::event::domain_event::DomainEvent;
use crate::account::event::unit_of_work::UnitOfWork;
use crate::account::names::name::Name;
use crate::account::user::new_user::{NewUser, UserTenant, insert};
use crate::app::App;
use crate::config::RegistrationMode;
use crate::error::{Error, Refusal, RefusalCode, Result};
use crate::store::users;

/// Combines a new user with the device name, and reports all invalid fields at once.
///
/// # Errors
/// The refusals of the user and of the device name.
pub fn with_device_name(user: Result<NewUser>, device_name: Option<&str>) -> Result<(NewUser, Option<Name>)> {
    match (user, Name::parse_on("deviceName", device_name)) {
        (Err(Error::Refused(mut refusals)), Err(refusal)) => {
            refusals.push(refusal);
            Err(Error::Refused(refusals))
        }
        (user, device_name) => Ok((user?, device_name?)),
    }
}

/// Creates a user and opens its first session. Anyone may call it, if registration is open.
///
/// # Errors
/// Refusals: registration is closed, a name is taken, the password is weak, too many users from one address.
/// [`Error::CrossSite`] if cookies are requested from an untrusted site.
pub async fn register(
    app: &App,
    context: &RequestContext,
    input: NewUser,
    new_session: NewSession,
) -> Result<IssuedSession> {
    context.cookies.require_settable(new_session.transport)?;
    let now = app.clock.now();
    within_limits(app, context, &input, now, async {
        let hash = app.hasher.hash(&input.password).await?;
        app.write(context, now, async |tx| {
            let user = insert_user(&tx, app, &input, hash.clone(), now).await?;
            let issued = session::open(&tx, app, &user, context, new_session.clone(), now).await?;
            tx.record(register_event(&user).in_session(&issued.session)).await?;
            tx.emit(DomainEvent::UserCreated(issued.user.clone()));
            tx.commit(issued).await
        })
        .await
    })
    .await
}

/// Creates a user that logs in afterwards. Anyone may call it, if registration is open.
///
/// # Errors
/// As [`register`].
pub async fn register_only(app: &App, context: &RequestContext, input: NewUser) -> Result<()> {
    let now = app.clock.now();
    within_limits(app, context, &input, now, async {
        let hash = app.hasher.hash(&input.password).await?;
        app.write(context, now, async |tx| {
            let user = insert_user(&tx, app, &input, hash.clone(), now).await?;
            login_origin::record_network(&tx, &user, context, now).await?;
            tx.record(register_event(&user)).await?;
            tx.emit(DomainEvent::UserCreated(user));
            tx.commit(()).await
        })
        .await
    })
    .await
}

/// Runs `creation` if registration is open, the password is strong and the address is within its limits.
async fn within_limits<T>(
    app: &App,
    context: &RequestContext,
    input: &NewUser,
    now: DateTime<Utc>,
    creation: impl Future<Output = Result<T>>,
) -> Result<T> {
    require_open(app)?;
    context.take_credential_check()?;
    let has_limits = app.config.limits.is_enabled;
    if has_limits {
        // Before the password policy, which occupies the hashing threads that logins need.
        take_from_bucket(&app.rate_limits.registration_attempts, context, now).await?;
    }
    check_policy(app, &input.password, input.forbidden_names(), "password").await?;
    // Counted only now: typing errors do not use it up.
    let name_check = NameCheck::reserve(app, context, now).await?;
    let created = async {
        let address =
            if has_limits { take_from_bucket(&app.rate_limits.registrations, context, now).await? } else { None };
        let created = creation.await;
        // A failed registration does not count as a user of the address.
        if let Some(address) = address.filter(|_| created.is_err()) {
            app.rate_limits.registrations.refund(address).await;
        }
        created
    };
    let created = created.await;
    name_check.complete(app, created.as_ref().err()).await;
    created
}

fn require_open(app: &App) -> Result<()> {
    match app.config.registration.mode {
        RegistrationMode::Open => Ok(()),
        RegistrationMode::Admin | RegistrationMode::Closed => Err(Refusal::new(
            RefusalCode::RegistrationClosed,
            "registration is closed: ask an administrator for an account",
        )
        .into()),
    }
}

/// Inserts the user, whose registration counts as a login.
async fn insert_user(
    tx: &UnitOfWork<'_>,
    app: &App,
    input: &NewUser,
    hash: String,
    now: DateTime<Utc>,
) -> Result<user::Model> {
    let user = insert(tx, app, input, hash, UserTenant::DEFAULT, now).await?;
    users::update_login(tx, &user, None, now).await?.ok_or_else(users::version_conflict)
}

fn register_event(user: &user::Model) -> AuditEvent {
    AuditEvent::success(AuditAction::Register).by_user(user).on_user(user)
}
