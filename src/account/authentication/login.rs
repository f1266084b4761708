//! Login: verifies a name and a password and opens a session.

use entity::session::Transport;
use entity::user;
use sea_orm::ConnectionTrait;
use secrecy::SecretString;
use uuid::Uuid;

use super::login_origin;
use super::password_attempt::{AttemptKey, PasswordAttempt};
use super::session::{self, IssuedSession};
use crate::account::access::grants;
use crate::account::caller::request_context::RequestContext;
use crate::account::event::audit::AuditEvent;
use crate::account::event::audit_action::AuditAction;
use crate::account::event::failure_audit;
use crate::account::names::identifier::Identifier;
use crate::account::names::name::Name;
use crate::account::names::username::matches_exactly;
use crate::account::tokens;
use crate::account::user::handle;
use crate::app::App;
use crate::error::{Error, Refusal, RefusalCode, Result};
use crate::store::{TenantScope, users};

/// The input of a login.
#[derive(Debug)]
pub struct Login {
    /// Username or e-mail address, as typed.
    pub name: Identifier,
    /// Which names match.
    pub name_match: NameMatch,
    /// The password, as typed.
    pub password: SecretString,
    /// How the session's tokens are transported.
    pub transport: Transport,
    /// The user's name for the device.
    pub device_name: Option<Name>,
    /// The device token of an earlier login on this device.
    pub device_token: Option<SecretString>,
}

/// A successful login.
#[derive(Debug)]
pub struct LoginResult {
    /// The opened session.
    pub issued: IssuedSession,
    /// Identifies this device at its next login, so that guesses from elsewhere cannot lock it out. Only from
    /// [`login_on_device`].
    pub device_token: Option<SecretString>,
}

/// Whether a login issues a device token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DeviceTokenMode {
    /// The session alone.
    Omit,
    /// A device token, too; the device is recorded.
    Issue,
}

/// Which of a user's names match a login name, and how exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameMatch {
    /// Username or e-mail address, canonically equal.
    Any,
    /// Username, case-sensitive: legacy services distinguish `ann` and `Ann`.
    Exact,
    /// E-mail address or username, case-sensitive.
    Handle,
}

/// How often a login is retried after a concurrent change of the user.
const MAX_RETRIES: usize = 3;

/// Opens a session. Anyone may call it. An unknown name, a wrong password and a disabled user get the same response at
/// the same cost (OWASP Authentication Cheat Sheet; promise B1).
///
/// # Errors
/// Refusals with [`RefusalCode::InvalidCredentials`] and [`RefusalCode::TooManyAttempts`]. [`Error::CrossSite`] if
/// cookies are requested from an untrusted site, which could log its visitor in as another user.
pub async fn login(app: &App, context: &RequestContext, input: Login) -> Result<LoginResult> {
    login_with_role(app, context, input, None).await
}

/// As [`login`], for a client that stores a device token.
///
/// # Errors
/// As [`login`].
pub async fn login_on_device(app: &App, context: &RequestContext, input: Login) -> Result<LoginResult> {
    login_with(app, context, input, None, DeviceTokenMode::Issue).await
}

/// As [`login`], for holders of `role` only, if one is given. Others get the response of a wrong password, whether
/// theirs was correct or not.
///
/// # Errors
/// As [`login`].
pub async fn login_with_role(
    app: &App,
    context: &RequestContext,
    input: Login,
    role: Option<&str>,
) -> Result<LoginResult> {
    login_with(app, context, input, role, DeviceTokenMode::Omit).await
}

async fn login_with(
    app: &App,
    context: &RequestContext,
    input: Login,
    role: Option<&str>,
    mode: DeviceTokenMode,
) -> Result<LoginResult> {
    context.cookies.require_same_site(input.transport)?;
    app.hasher.check_capacity()?;
    let now = app.clock.now();
    // Before the name is normalized or looked up and before a token is verified. So a rate-limited address learns
    // nothing from the timing (promise B2) and costs nothing.
    let mut attempt = PasswordAttempt::for_address(app, context, now).await?;
    let user = find_user(app.db.reader(), TenantScope::AllTenants, &input.name).await?;
    let origin = login_origin::recognize(app, context, user.as_ref(), input.device_token.as_ref(), now).await?;
    let key = match (&user, origin.device, &origin.network) {
        (Some(_), Some(device), _) => AttemptKey::Device(device),
        (Some(user), None, Some(network)) => AttemptKey::Network(user, network),
        (Some(user), None, None) => AttemptKey::User(user),
        (None, ..) => AttemptKey::UnknownName,
    };
    let device = (mode == DeviceTokenMode::Issue).then(|| origin.device.unwrap_or_else(|| app.entropy.uuid(now)));
    attempt.reserve_for(key, input.name.counter_key(), now).await?;
    for retry in 0..MAX_RETRIES {
        let user = if retry == 0 {
            user.clone()
        } else {
            find_user(app.db.reader(), TenantScope::AllTenants, &input.name).await?
        };
        match verify_and_open(app, context, &input, (user, role, device), &mut attempt).await {
            Ok(Some(issued)) => {
                let device_token =
                    device.map(|device| tokens::device_token(app, &issued.user, device, now)).transpose()?;
                return Ok(LoginResult { issued: issued.store_cookies(context), device_token });
            }
            Ok(None) => {}
            Err(error) => {
                if error.is_refusal(RefusalCode::InvalidCredentials) {
                    attempt.fail().await?;
                } else {
                    attempt.cancel().await?;
                }
                return Err(error);
            }
        }
    }
    attempt.fail().await?;
    Err(record_failure(app, context, None, &input.name).await?)
}

/// Returns `None` if the user changed during password verification: another login may have updated the hash.
async fn verify_and_open(
    app: &App,
    context: &RequestContext,
    input: &Login,
    (user, role, device): (Option<user::Model>, Option<&str>, Option<Uuid>),
    attempt: &mut PasswordAttempt<'_>,
) -> Result<Option<IssuedSession>> {
    let now = app.clock.now();
    let user = user.filter(|user| match input.name_match {
        NameMatch::Any => true,
        NameMatch::Exact => matches_exactly(&user.username, input.name.typed()),
        NameMatch::Handle => handle::matches_exactly(user, input.name.typed()),
    });
    let stored = user.as_ref().and_then(|user| user.password_hash.as_ref()).map(|hash| hash.expose());
    let has_role = has_required_role(app, user.as_ref(), role).await?;
    let verdict = app.hasher.verify(&input.password, stored).await?;
    let opens = |user: &&user::Model| verdict.is_match && has_role && user.is_active() && !attempt.is_locked();
    let Some(user) = user.as_ref().filter(opens) else {
        return Err(record_failure(app, context, user.as_ref(), &input.name).await?);
    };
    attempt.count_login(user, now).await?;
    let attempt = &*attempt;
    let rehash = if verdict.needs_rehash { Some(app.hasher.hash(&input.password).await?) } else { None };

    app.write(context, now, async |tx| {
        if users::update_login(&tx, user, rehash.clone(), now).await?.is_none() {
            return Ok(tx.roll_back(None));
        }
        let issued = session::open(&tx, app, user, context, input.device_name.clone(), input.transport, now).await?;
        if let Some(device) = device {
            login_origin::record_device(&tx, user, device, now).await?;
        }
        tx.record(AuditEvent::success(AuditAction::Login).by_user(user).on_user(user).in_session(&issued.session))
            .await?;
        attempt.succeed(&tx).await?;
        tx.commit(Some(issued)).await
    })
    .await
}

/// Whether the user has the required role. The query also runs for unknown names and before password verification, so
/// that timing does not reveal whether the password was correct.
async fn has_required_role(app: &App, user: Option<&user::Model>, role: Option<&str>) -> Result<bool> {
    let Some(role) = role else { return Ok(true) };
    // No user has row id 0.
    Ok(grants::access_of(app.db.reader(), user.map_or(0, |user| user.id)).await?.has_role(role))
}

/// The user with this login name, canonically compared.
pub(in crate::account) async fn find_user(
    db: &impl ConnectionTrait,
    scope: TenantScope,
    name: &Identifier,
) -> Result<Option<user::Model>> {
    let mut found = users::list_by_handle(db, scope, name.username_key(), name.email_key()).await?;
    // A matching username takes precedence over a matching e-mail address.
    found.sort_by_key(|user| user.username_key != name.username_key());
    Ok(found.into_iter().next())
}

/// Records the failure and returns the error for the response.
async fn record_failure(
    app: &App,
    context: &RequestContext,
    user: Option<&user::Model>,
    name: &Identifier,
) -> Result<Error> {
    let event = AuditEvent::failed(AuditAction::Login);
    // The typed name may be a password in the wrong field: it is not stored.
    let event = match user {
        Some(user) => event.on_user(user),
        None => event,
    };
    failure_audit::record(app, context, event, name.counter_key(), app.clock.now()).await?;
    Ok(invalid_credentials())
}

fn invalid_credentials() -> Error {
    Refusal::new(RefusalCode::InvalidCredentials, "the name or the password is wrong").for_field("password").into()
}
