//! Registration: a stranger makes an account and is signed in.

use chrono::{DateTime, Utc};
use entity::session::Transport;

use super::logout;
use super::password::check_policy;
use super::password_attempt::{NameCheck, take_from_bucket};
use super::session::{self, IssuedSession};
use crate::account::access::rule::DEFAULT_TENANT;
use crate::account::caller::requester::RequestContext;
use crate::account::event::audit::AuditEvent;
use crate::account::event::unit_of_work::{DomainEvent, UnitOfWork};
use crate::account::user::name::Name;
use crate::account::user::query::{NewUser, insert};
use crate::app::App;
use crate::config::RegistrationMode;
use crate::error::{Error, Refusal, RefusalCode, Result};
use crate::store::users;

/// The account with the name of the device that it is made on; every field that is wrong is told.
///
/// # Errors
/// What is wrong with the account, and what with the name.
pub fn with_device_name(user: Result<NewUser>, device_name: Option<&str>) -> Result<(NewUser, Option<Name>)> {
    match (user, Name::parse_on("deviceName", device_name)) {
        (Err(Error::Refused(mut refusals)), Err(one_more)) => {
            refusals.push(one_more);
            Err(Error::Refused(refusals))
        }
        (user, device_name) => Ok((user?, device_name?)),
    }
}

/// Makes an account and opens its first session. Anybody may, if registration is open.
///
/// # Errors
/// Refusals: registration is closed, a name is taken, the password is weak, too many accounts come from one address.
/// [`Error::ForeignPage`] if cookies are asked for by a page that may not have them.
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
            return Err(
                Refusal::new(RefusalCode::RegistrationClosed, "accounts are made by an administrator here").into()
            );
        }
    }
    context.take_credential_check()?;
    if app.config.limits.is_enabled {
        // Before the password is judged, which keeps the hashing threads from logins.
        take_from_bucket(&app.throttle.registration_attempts, context, now).await?;
    }
    check_policy(app, &input.password, input.forbidden_names(), "password").await?;
    // Counted only now: who mistypes is not kept out.
    let probe = NameCheck::reserve(app, context, now).await?;
    let made = async {
        let limits = app.config.limits.is_enabled;
        let address = if limits { take_from_bucket(&app.throttle.registrations, context, now).await? } else { None };
        let made = create(app, context, &input, device_name, transport, now).await;
        // A failed registration does not count as an account of the address.
        if let Some(address) = address.filter(|_| made.is_err()) {
            app.throttle.registrations.refund(address).await;
        }
        made
    };
    let made = made.await;
    probe.complete(app, made.as_ref().err()).await;
    made
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
    app.db
        .retry(|| async {
            let tx = UnitOfWork::begin(app, now).await?;
            let user = insert(&tx, app, input, hash.clone(), (DEFAULT_TENANT, false), now).await?;
            users::update_login(&tx, &user, None, now).await?;
            let signed_in = session::open(&tx, app, &user, context, device_name.clone(), transport, now).await?;
            AuditEvent::success("register")
                .by_user(&user)
                .on_user(&user)
                .in_session(&signed_in.session)
                .record(&tx, app, context, now)
                .await?;
            tx.emit(DomainEvent::UserCreated(signed_in.user.clone()));
            tx.commit().await?;
            Ok(signed_in.store_cookies(context))
        })
        .await
}

/// Makes an account for a caller who signs in afterwards. Anybody may, if registration is open.
///
/// # Errors
/// As [`register`].
pub async fn register_only(app: &App, context: &RequestContext, input: NewUser) -> Result<()> {
    let signed_in = register(app, context, input, None, Transport::Body).await?;
    // Nobody has the session's tokens.
    logout::end_current_session(app, &signed_in.requester(context.clone())).await
}
