//! Passwords: changed by their owner, set by an administrator.

use chrono::{DateTime, Utc};
use entity::session::EndReason;
use entity::user;
use secrecy::{ExposeSecret, SecretString};

use super::password_attempt::{PasswordAttempt, limit_own_change};
use super::session::{self, ApiTokenSelection, EndedCounts, IssuedSession, end_all_and_api_tokens};
use super::{login_origin, tokens};
use crate::account::access::authorization::{self, UserAction};
use crate::account::access::rule;
use crate::account::caller::requester::{Caller, Requester};
use crate::account::event::audit::AuditEvent;
use crate::account::event::failure_audit;
use crate::account::event::unit_of_work::{DomainEvent, UnitOfWork};
use crate::account::user::id::UserId;
use crate::account::user::query as accounts;
use crate::app::App;
use crate::error::{Error, PasswordViolation, Refusal, RefusalCode, Result};
use crate::store::users;

/// A new password and the proof that the caller knows the old one.
#[derive(Debug)]
pub struct UpdatePassword {
    /// The password until now.
    pub current: SecretString,
    /// The password from now on.
    pub new: SecretString,
    /// Whether all other sessions end too, with the API tokens of logins.
    pub end_others: bool,
    /// Whether the API tokens that a person made are revoked, too.
    pub revoke_api_tokens: bool,
}

/// A changed password.
#[derive(Debug)]
pub struct PasswordUpdateResult {
    /// The session in the place of the old one.
    pub issued: IssuedSession,
    /// What else was ended.
    pub ended: EndedCounts,
    /// The device's token from now on: those from before the change are void.
    pub device_token: SecretString,
}

/// Changes the caller's own password, replaces the session by a new one, so that nothing that was stolen from it opens
/// anything (OWASP ASVS 7.2.4), and tells what else was ended.
///
/// # Errors
/// Refuses callers who are not signed in, a wrong current password, the same password again, a weak one.
pub async fn update(app: &App, requester: &Requester, input: UpdatePassword) -> Result<PasswordUpdateResult> {
    let proven = verify_current(app, requester, input).await?;
    let (own_session, now) = (proven.own_session, proven.now);
    app.db
        .retry(|| async {
            let (tx, caller) = UnitOfWork::begin_as(app, proven.caller, rule::UPDATE_PASSWORD, now).await?;
            let (user, ended) = write_change(&tx, &proven, &caller.user).await?;
            let own = std::slice::from_ref(own_session);
            if session::end(&tx, &user, own, EndReason::PasswordChanged, now).await? == 0 {
                return Err(Error::Unauthenticated(crate::error::TokenError::SessionEnded));
            }
            let device_name =
                own_session.device_name.as_deref().and_then(|name| crate::account::user::name::Name::parse(name).ok());
            let signed_in =
                session::open(&tx, app, &user, &requester.context, device_name, own_session.transport, now).await?;
            let device = app.entropy.uuid(now);
            login_origin::record_device(&tx, &user, device, now).await?;
            let device_token = tokens::device_token(app, &user, device, now)?;
            record_update(&tx, app, requester, (&user, &signed_in.session), now).await?;
            tx.emit(DomainEvent::UserUpdated(user));
            tx.commit().await?;
            Ok(PasswordUpdateResult { issued: signed_in.store_cookies(&requester.context), ended, device_token })
        })
        .await
}

/// The same for callers of older services, whose answers have no room for new tokens: the session goes on as it is.
///
/// # Errors
/// As [`update`].
pub async fn update_keeping_session(app: &App, requester: &Requester, input: UpdatePassword) -> Result<EndedCounts> {
    let proven = verify_current(app, requester, input).await?;
    let (own_session, now) = (proven.own_session, proven.now);
    app.db
        .retry(|| async {
            let (tx, caller) = UnitOfWork::begin_as(app, proven.caller, rule::UPDATE_PASSWORD, now).await?;
            let (user, others) = write_change(&tx, &proven, &caller.user).await?;
            record_update(&tx, app, requester, (&user, own_session), now).await?;
            tx.emit(DomainEvent::UserUpdated(user));
            tx.commit().await?;
            Ok(others)
        })
        .await
}

/// A caller who knows the password, and the hash of the new one.
struct VerifiedChange<'a> {
    caller: &'a Caller,
    user: &'a user::Model,
    own_session: &'a entity::session::Model,
    hash: String,
    input: UpdatePassword,
    now: DateTime<Utc>,
}

async fn record_update(
    tx: &UnitOfWork,
    app: &App,
    requester: &Requester,
    (user, session): (&user::Model, &entity::session::Model),
    now: DateTime<Utc>,
) -> Result<()> {
    let event = AuditEvent::success("password.update").by_user(user).on_user(user).in_session(session);
    event.record(tx, app, &requester.context, now).await
}

async fn verify_current<'a>(app: &App, requester: &'a Requester, input: UpdatePassword) -> Result<VerifiedChange<'a>> {
    // Not `permit`: whoever has to choose a new password does it here.
    let caller = requester.authenticated()?;
    let own_session = caller.require_session()?;
    let user = &caller.user;
    let stored = user.password_hash.as_ref().map(|hash| hash.expose());
    let now = app.clock.now();
    limit_own_change(app, caller, rule::UPDATE_PASSWORD, now).await?;
    let attempt = PasswordAttempt::for_session(app, &requester.context, (user, own_session), now).await?;
    let verdict = match app.hasher.verify(&input.current, stored).await {
        Ok(verdict) => verdict,
        Err(error) => {
            attempt.cancel().await?;
            return Err(error);
        }
    };
    if !verdict.is_match {
        attempt.fail().await?;
        let event = AuditEvent::failed("password.update").by_user(user).on_user(user).in_session(own_session);
        failure_audit::record(app, &requester.context, event, &user.username_key, now).await?;
        let message = "the current password is wrong";
        return Err(Refusal::new(RefusalCode::WrongPassword, message).for_field("currentPassword").into());
    }
    app.db.retry(|| attempt.succeed(app.db.writer())).await?;
    let same = || Refusal::new(RefusalCode::SamePassword, "choose another password").for_field("newPassword");
    if input.new.expose_secret() == input.current.expose_secret() {
        return Err(same().into());
    }
    check_policy(app, &input.new, forbidden_names(user), "newPassword").await?;
    if app.hasher.verify(&input.new, stored).await?.is_match {
        return Err(same().into());
    }
    let hash = app.hasher.hash(&input.new).await?;

    Ok(VerifiedChange { caller, user, own_session, hash, input, now: app.clock.now() })
}

/// Writes the new password over the locked row `before`; the account then, and what else was ended.
async fn write_change(
    tx: &UnitOfWork,
    proven: &VerifiedChange<'_>,
    before: &user::Model,
) -> Result<(user::Model, EndedCounts)> {
    let VerifiedChange { caller: _, user, own_session, hash, input, now } = proven;
    // The current password was verified against the hash of before.
    let is_current = before.password_hash == user.password_hash;
    if !is_current || !users::update_password(tx, before, hash.clone(), false, *now).await? {
        return Err(accounts::version_conflict());
    }
    let user = accounts::reload(tx, before).await?;
    let tokens = ApiTokenSelection::from_flag(input.revoke_api_tokens);
    let others = match (input.end_others, tokens) {
        (true, _) => {
            let reason = EndReason::PasswordChanged;
            end_all_and_api_tokens(tx, &user, Some(own_session.id), tokens, reason, *now).await?
        }
        (false, ApiTokenSelection::All) => {
            EndedCounts { sessions: 0, api_tokens: tokens.revoke(tx, &user, *now).await? }
        }
        (false, ApiTokenSelection::FromLogin) => EndedCounts::default(),
    };
    Ok((user, others))
}

/// Letters of a password that is made for somebody: 94 bits, which no policy refuses.
const GENERATED_LENGTH: usize = 20;

/// Gives another user a password of random letters, which has to be changed first, and ends all of that user's
/// sessions. The password is told this once.
///
/// # Errors
/// As [`set`].
pub async fn reset(app: &App, requester: &Requester, user_id: UserId) -> Result<(user::Model, SecretString)> {
    requester.authorize(rule::WRITE_USERS)?;
    let password = SecretString::from(random_password(app, GENERATED_LENGTH.max(app.password_policy.min_length())));
    let user = set(app, requester, user_id, password.clone(), true, ApiTokenSelection::All).await?;
    Ok((user, password))
}

/// Random small letters, each as likely as the others.
fn random_password(app: &App, length: usize) -> String {
    let mut letters = String::with_capacity(length);
    while letters.len() < length {
        let [byte] = app.entropy.bytes();
        // 234 is the greatest multiple of 26 that a byte holds: what is beyond it would favour the first letters.
        if byte < 234 {
            letters.push(char::from(b'a' + byte % 26));
        }
    }
    letters
}

/// Sets another user's password and ends all of that user's sessions and these API tokens.
///
/// # Errors
/// Refuses callers without the permission or with less power than the user, and weak passwords.
pub async fn set(
    app: &App,
    requester: &Requester,
    user_id: UserId,
    password: SecretString,
    must_change: bool,
    api_tokens: ApiTokenSelection,
) -> Result<user::Model> {
    let caller = requester.authorize(rule::WRITE_USERS)?;
    let user = authorization::find_manageable(app.db.reader(), caller, UserAction::SetPassword, user_id).await?;
    check_policy(app, &password, forbidden_names(&user), "password").await?;
    let hash = app.hasher.hash(&password).await?;

    let now = app.clock.now();
    app.db
        .retry(|| async {
            let (tx, caller) = UnitOfWork::begin_as(app, caller, rule::WRITE_USERS, now).await?;
            let user = authorization::lock_manageable(&tx, &caller, UserAction::SetPassword, user_id).await?;
            if !users::update_password(&tx, &user, hash.clone(), must_change, now).await? {
                return Err(accounts::version_conflict());
            }
            end_all_and_api_tokens(&tx, &user, None, api_tokens, EndReason::PasswordChanged, now).await?;
            AuditEvent::success("password.set")
                .by_caller(&caller)
                .on_user(&user)
                .record(&tx, app, &requester.context, now)
                .await?;
            let user = accounts::reload(&tx, &user).await?;
            tx.emit(DomainEvent::UserUpdated(user.clone()));
            tx.commit().await?;
            Ok(user)
        })
        .await
}

/// The names that the password of `user` must not be.
pub(in crate::account) fn forbidden_names(user: &user::Model) -> Vec<String> {
    [Some(&user.username), user.email.as_ref(), user.display_name.as_ref()].into_iter().flatten().cloned().collect()
}

/// Refuses a new password that the policy does not take for an account with these `names`.
pub(in crate::account) async fn check_policy(
    app: &App,
    password: &SecretString,
    names: Vec<String>,
    field: &'static str,
) -> Result<()> {
    let violations = app.password_policy.violations(password, names).await?;
    if violations.is_empty() {
        return Ok(());
    }
    let reasons: Vec<String> = violations.iter().map(|violation| explanation(*violation, app)).collect();
    let message = format!("choose a stronger password: {}", reasons.join("; "));
    Err(Refusal { violations, ..Refusal::new(RefusalCode::WeakPassword, message).for_field(field) }.into())
}

fn explanation(violation: PasswordViolation, app: &App) -> String {
    match violation {
        PasswordViolation::TooShort => format!("it needs at least {} characters", app.password_policy.min_length()),
        PasswordViolation::TooLong => "it may have at most 256 characters".to_owned(),
        PasswordViolation::TooCommon => "it is on the list of common passwords".to_owned(),
        PasswordViolation::ContainsIdentity => "it is a name of the account".to_owned(),
        PasswordViolation::Guessable => "it is easy to guess".to_owned(),
    }
}
