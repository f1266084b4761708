//! Registration: a stranger makes an account and is signed in.

use chrono::{DateTime, Utc};
use entity::session::Transport;

use super::access::INSTALLATION;
use super::attempt::{NameProbe, spend};
use super::audit::Event;
use super::logout;
use super::name::Name;
use super::password::check_new;
use super::requester::Client;
use super::session::{self, SignIn};
use super::transaction::{Fact, Transaction};
use super::user::{NewUser, insert};
use crate::app::App;
use crate::config::RegistrationMode;
use crate::error::{Error, Refusal, RefusalCode, Result};
use crate::store::users;

/// The account with the name of the device that it is made on; every field that is wrong is told.
///
/// # Errors
/// What is wrong with the account, and what with the name.
pub fn parse(user: Result<NewUser>, device_name: Option<&str>) -> Result<(NewUser, Option<Name>)> {
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
    client: &Client,
    input: NewUser,
    device_name: Option<Name>,
    transport: Transport,
) -> Result<SignIn> {
    client.jar.require_proof(transport)?;
    let now = app.clock.now();
    match app.config.registration.mode {
        RegistrationMode::Open => {}
        RegistrationMode::Admin | RegistrationMode::Closed => {
            return Err(
                Refusal::new(RefusalCode::RegistrationClosed, "accounts are made by an administrator here").into()
            );
        }
    }
    client.claim_check()?;
    if app.config.limits.enabled {
        // Before the password is judged, which keeps the hashing threads from logins.
        spend(&app.throttle.asked_registrations, client, now).await?;
    }
    check_new(app, &input.password, input.names(), "password").await?;
    // Counted only now: who mistypes is not kept out.
    let probe = NameProbe::reserve(app, client, now).await?;
    let made = async {
        let limits = app.config.limits.enabled;
        let address = if limits { spend(&app.throttle.registrations, client, now).await? } else { None };
        let made = make(app, client, &input, device_name, transport, now).await;
        // A failed registration does not count as an account of the address.
        if let Some(address) = address.filter(|_| made.is_err()) {
            app.throttle.registrations.refund(address).await;
        }
        made
    };
    let made = made.await;
    probe.settle(app, made.as_ref().err()).await;
    made
}

async fn make(
    app: &App,
    client: &Client,
    input: &NewUser,
    device_name: Option<Name>,
    transport: Transport,
    now: DateTime<Utc>,
) -> Result<SignIn> {
    let hash = app.hasher.hash(&input.password).await?;
    app.db
        .retry(|| async {
            let tx = Transaction::begin(app, now).await?;
            let user = insert(&tx, app, input, hash.clone(), (INSTALLATION, false), now).await?;
            users::update_login(&tx, &user, None, now).await?;
            let signed_in = session::open(&tx, app, &user, client, device_name.clone(), transport, now).await?;
            Event::success("register")
                .by(&user)
                .to(&user)
                .within(&signed_in.session)
                .record(&tx, app, client, now)
                .await?;
            tx.note(Fact::Created(signed_in.user.clone()));
            tx.commit().await?;
            Ok(signed_in.kept_by(client))
        })
        .await
}

/// Makes an account for a caller who signs in afterwards. Anybody may, if registration is open.
///
/// # Errors
/// As [`register`].
pub async fn register_only(app: &App, client: &Client, input: NewUser) -> Result<()> {
    let signed_in = register(app, client, input, None, Transport::Body).await?;
    // Nobody has the session's tokens.
    logout::end_current(app, &signed_in.requester(client.clone())).await
}
