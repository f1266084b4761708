//! Registration: creates a user and opens its first session.

use chrono::{DateTime, Utc};
use entity::session::Transport;

use super::logout;
use super::password_policy::check_policy;
use super::session::{self, IssuedSession};
use crate::account::caller::rate_limit::{NameCheck, take_from_bucket};
use crate::account::caller::request_context::RequestContext;
use crate::account::event::audit::AuditEvent;
use crate::account::event::audit_action::AuditAction;
use crate::account::event::domain_event::DomainEvent;
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
    device_name: Option<Name>,
    transport: Transport,
) -> Result<IssuedSession> {
    context.cookies.require_same_site(transport)?;
    let now = app.clock.now();
    match app.config.registration.mode {
        RegistrationMode::Open => {}
        RegistrationMode::Admin | RegistrationMode::Closed => {
            return Err(Refusal::new(
                RefusalCode::RegistrationClosed,
                "registration is closed: ask an administrator for an account",
            )
            .into());
        }
    }
    context.take_credential_check()?;
    if app.config.limits.is_enabled {
        // Before the password policy, which occupies the hashing threads that logins need.
        take_from_bucket(&app.rate_limits.registration_attempts, context, now).await?;
    }
    check_policy(app, &input.password, input.forbidden_names(), "password").await?;
    // Counted only now: typing errors do not use it up.
    let name_check = NameCheck::reserve(app, context, now).await?;
    let created = async {
        let limits = app.config.limits.is_enabled;
        let address = if limits { take_from_bucket(&app.rate_limits.registrations, context, now).await? } else { None };
        let created = create(app, context, &input, device_name, transport, now).await;
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

async fn create(
    app: &App,
    context: &RequestContext,
    input: &NewUser,
    device_name: Option<Name>,
    transport: Transport,
    now: DateTime<Utc>,
) -> Result<IssuedSession> {
    let hash = app.hasher.hash(&input.password).await?;
    app.write(context, now, async |tx| {
        let user = insert(&tx, app, input, hash.clone(), UserTenant::DEFAULT, now).await?;
        users::update_login(&tx, &user, None, now).await?;
        let issued = session::open(&tx, app, &user, context, device_name.clone(), transport, now).await?;
        tx.record(AuditEvent::success(AuditAction::Register).by_user(&user).on_user(&user).in_session(&issued.session))
            .await?;
        tx.emit(DomainEvent::UserCreated(issued.user.clone()));
        tx.commit(issued.store_cookies(context)).await
    })
    .await
}

/// Creates a user that logs in afterwards. Anyone may call it, if registration is open.
///
/// # Errors
/// As [`register`].
pub async fn register_only(app: &App, context: &RequestContext, input: NewUser) -> Result<()> {
    let issued = register(app, context, input, None, Transport::Body).await?;
    // No client has the session's tokens.
    logout::end_current_session(app, &issued.requester(context.clone())).await
}
