//! Login: a name and a password for a session.

use chrono::{DateTime, Utc};
use entity::session::Transport;
use entity::user;
use sea_orm::ConnectionTrait;
use secrecy::SecretString;
use uuid::Uuid;

use super::password_attempt::{AttemptKey, PasswordAttempt, limit_own_change};
use super::session::{self, IssuedSession};
use super::{login_origin, tokens};
use crate::account::access::role;
use crate::account::access::rule;
use crate::account::caller::requester::{RequestContext, Requester};
use crate::account::event::audit::AuditEvent;
use crate::account::event::failure_audit;
use crate::account::event::unit_of_work::UnitOfWork;
use crate::account::user::handle;
use crate::account::user::identifier::Identifier;
use crate::account::user::name::Name;
use crate::account::user::username::matches_exactly;
use crate::app::App;
use crate::error::{Error, Refusal, RefusalCode, Result};
use crate::store::{TenantScope, users};

/// What a person gives to sign in.
#[derive(Debug)]
pub struct Login {
    /// Username or e-mail address, as typed.
    pub name: Identifier,
    /// How far it may differ from what is stored.
    pub name_match: NameMatch,
    /// The password, as typed.
    pub password: SecretString,
    /// How the session's tokens travel.
    pub transport: Transport,
    /// How the person calls the device.
    pub device_name: Option<Name>,
    /// What the device got when somebody signed in on it before.
    pub device_token: Option<SecretString>,
}

/// A login that succeeded.
#[derive(Debug)]
pub struct LoginResult {
    /// The session.
    pub issued: IssuedSession,
    /// Tells this device from others at its next login, so that strangers who guess elsewhere cannot lock it out;
    /// only from [`login_on_device`].
    pub device_token: Option<SecretString>,
}

/// What a login gives to the device that it is made on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DeviceTokenMode {
    /// The session alone.
    Omit,
    /// A device token, too; the device is recorded.
    Issue,
}

/// What counts as the name of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameMatch {
    /// Its username or its e-mail address, in any spelling.
    Any,
    /// Its username, letter for letter: callers of older services tell `ann` and `Ann` apart.
    Exact,
    /// Its e-mail address or its username, letter for letter.
    Handle,
}

/// How often a login is tried that is overtaken by a change of the account.
const MAX_RETRIES: usize = 3;

/// Opens a session. Anybody may try; whether the name is unknown, the password wrong or the account disabled, the
/// answer is the same and costs the same (OWASP Authentication Cheat Sheet; promise B1).
///
/// # Errors
/// Refusals with [`RefusalCode::InvalidCredentials`] and [`RefusalCode::TooManyAttempts`]; [`Error::ForeignPage`] if
/// cookies are asked for by a page that may not have them, which could sign in whoever looks at it as somebody else.
pub async fn login(app: &App, context: &RequestContext, input: Login) -> Result<LoginResult> {
    login_with_role(app, context, input, None).await
}

/// The same for a client that keeps a device token for its next login.
///
/// # Errors
/// As [`login`].
pub async fn login_on_device(app: &App, context: &RequestContext, input: Login) -> Result<LoginResult> {
    login_with(app, context, input, None, DeviceTokenMode::Issue).await
}

/// The same for holders of `role` alone, if one is named. To all others the answer is that of a wrong password: whether
/// it was right is not told.
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
    // Before the name is normalised or looked for, and before a token is verified: an address without budget learns
    // nothing from the time (promise B2), and costs nothing.
    let mut attempt = PasswordAttempt::for_address(app, context, now).await?;
    let user = find_user(app.db.reader(), TenantScope::AllTenants, &input.name).await?;
    let origin = login_origin::recognize(app, context, user.as_ref(), input.device_token.as_ref(), now).await?;
    let whose = match (&user, origin.device, &origin.network) {
        (Some(_), Some(device), _) => AttemptKey::Device(device),
        (Some(user), None, Some(network)) => AttemptKey::Network(user, network),
        (Some(user), None, None) => AttemptKey::User(user),
        (None, ..) => AttemptKey::UnknownName,
    };
    let device = (mode == DeviceTokenMode::Issue).then(|| origin.device.unwrap_or_else(|| app.entropy.uuid(now)));
    attempt.reserve_for(whose, input.name.counter_key(), now).await?;
    for tried in 0..MAX_RETRIES {
        let user = if tried == 0 {
            user.clone()
        } else {
            find_user(app.db.reader(), TenantScope::AllTenants, &input.name).await?
        };
        match verify_and_open(app, context, &input, (user, role, device), &mut attempt).await {
            Ok(Some(sign_in)) => {
                let device_token =
                    device.map(|device| tokens::device_token(app, &sign_in.user, device, now)).transpose()?;
                return Ok(LoginResult { issued: sign_in.store_cookies(context), device_token });
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

/// Nothing, if the account changed while the password was verified: another login may have renewed the hash.
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
    let is_admitted = has_required_role(app, user.as_ref(), role).await?;
    let verdict = app.hasher.verify(&input.password, stored).await?;
    let opens = |user: &&user::Model| verdict.is_match && is_admitted && user.is_active() && !attempt.is_locked();
    let Some(user) = user.as_ref().filter(opens) else {
        return Err(record_failure(app, context, user.as_ref(), &input.name).await?);
    };
    attempt.count_login(user, now).await?;
    let attempt = &*attempt;
    let rehash = if verdict.needs_rehash { Some(app.hasher.hash(&input.password).await?) } else { None };

    app.db
        .retry(|| async {
            let tx = UnitOfWork::begin(app, now).await?;
            if !users::update_login(&tx, user, rehash.clone(), now).await? {
                return Ok(None);
            }
            let signed_in =
                session::open(&tx, app, user, context, input.device_name.clone(), input.transport, now).await?;
            if let Some(device) = device {
                login_origin::record_device(&tx, user, device, now).await?;
            }
            AuditEvent::success("login")
                .by_user(user)
                .on_user(user)
                .in_session(&signed_in.session)
                .record(&tx, app, context, now)
                .await?;
            attempt.succeed(&tx).await?;
            tx.commit().await?;
            Ok(Some(signed_in))
        })
        .await
}

/// Whether the user holds the role that is asked for. It is looked up for names of nobody, too, and before the password
/// is verified, so that the time does not tell whether that was right.
async fn has_required_role(app: &App, user: Option<&user::Model>, role: Option<&str>) -> Result<bool> {
    let Some(role) = role else { return Ok(true) };
    let nobody = 0;
    Ok(role::access_of(app.db.reader(), user.map_or(nobody, |user| user.id)).await?.has_role(role))
}

/// Notes that the caller is there, as a login does; for callers of an older service that keep a token and say so.
/// Tells the time that is noted.
///
/// # Errors
/// Refuses callers who are not signed in.
pub async fn record_activity(app: &App, requester: &Requester) -> Result<DateTime<Utc>> {
    let caller = requester.authorize(rule::RECORD_ACTIVITY)?;
    let now = app.clock.now();
    limit_own_change(app, caller, rule::RECORD_ACTIVITY, now).await?;
    app.db
        .retry(|| async {
            let (tx, caller) = UnitOfWork::begin_as(app, caller, rule::RECORD_ACTIVITY, now).await?;
            if !users::update_login(&tx, &caller.user, None, now).await? {
                return Err(crate::account::user::query::version_conflict());
            }
            AuditEvent::success("login.bump")
                .by_caller(&caller)
                .on_user(&caller.user)
                .record(&tx, app, &requester.context, now)
                .await?;
            tx.commit().await?;
            Ok(now)
        })
        .await
}

/// The user who signs in with this name, in any spelling.
pub(in crate::account) async fn find_user(
    db: &impl ConnectionTrait,
    scope: TenantScope,
    name: &Identifier,
) -> Result<Option<user::Model>> {
    let mut found = users::list_by_handle(db, scope, name.username_key(), name.email_key()).await?;
    // Who is called so comes before whoever has it for an address.
    found.sort_by_key(|user| user.username_key != name.username_key());
    Ok(found.into_iter().next())
}

/// Records the failure; the error to answer with.
async fn record_failure(
    app: &App,
    context: &RequestContext,
    user: Option<&user::Model>,
    name: &Identifier,
) -> Result<Error> {
    let event = AuditEvent::failed("login");
    // What was typed as a name may be a password in the wrong field: it is not kept.
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
