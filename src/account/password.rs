//! Passwords: changed by their owner, set by an administrator.

use chrono::{DateTime, Utc};
use entity::session::EndReason;
use entity::user;
use secrecy::{ExposeSecret, SecretString};

use super::access;
use super::attempt::{Attempt, count_change};
use super::audit::Event;
use super::failures;
use super::id::UserId;
use super::power::{self, Act};
use super::requester::{Requester, SignedIn};
use super::session::{self, ApiTokens, Ended, SignIn, end_all_with};
use super::transaction::{Fact, Transaction};
use super::{origin, tokens, user as accounts};
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
pub struct Updated {
    /// The session in the place of the old one.
    pub sign_in: SignIn,
    /// What else was ended.
    pub ended: Ended,
    /// The device's token from now on: those from before the change are void.
    pub device_token: SecretString,
}

/// Changes the caller's own password, replaces the session by a new one, so that nothing that was stolen from it opens
/// anything (OWASP ASVS 7.2.4), and tells what else was ended.
///
/// # Errors
/// Refuses callers who are not signed in, a wrong current password, the same password again, a weak one.
pub async fn update(app: &App, requester: &Requester, input: UpdatePassword) -> Result<Updated> {
    let proven = prove(app, requester, input).await?;
    let (own_session, now) = (proven.own_session, proven.now);
    app.db
        .retry(|| async {
            let (tx, caller) = Transaction::begin_as(app, proven.caller, access::UPDATE_PASSWORD, now).await?;
            let (user, ended) = change(&tx, &proven, &caller.user).await?;
            let own = std::slice::from_ref(own_session);
            if session::end(&tx, &user, own, EndReason::PasswordChanged, now).await? == 0 {
                return Err(Error::Unauthenticated(crate::error::TokenFault::SessionEnded));
            }
            let device_name = own_session.device_name.as_deref().and_then(|name| super::name::Name::parse(name).ok());
            let signed_in =
                session::open(&tx, app, &user, &requester.client, device_name, own_session.transport, now).await?;
            let device = app.entropy.uuid(now);
            origin::record_device(&tx, &user, device, now).await?;
            let device_token = tokens::device(app, &user, device, now)?;
            record(&tx, app, requester, (&user, &signed_in.session), now).await?;
            tx.note(Fact::Updated(user));
            tx.commit().await?;
            Ok(Updated { sign_in: signed_in.kept_by(&requester.client), ended, device_token })
        })
        .await
}

/// The same for callers of older services, whose answers have no room for new tokens: the session goes on as it is.
///
/// # Errors
/// As [`update`].
pub async fn update_within(app: &App, requester: &Requester, input: UpdatePassword) -> Result<Ended> {
    let proven = prove(app, requester, input).await?;
    let (own_session, now) = (proven.own_session, proven.now);
    app.db
        .retry(|| async {
            let (tx, caller) = Transaction::begin_as(app, proven.caller, access::UPDATE_PASSWORD, now).await?;
            let (user, others) = change(&tx, &proven, &caller.user).await?;
            record(&tx, app, requester, (&user, own_session), now).await?;
            tx.note(Fact::Updated(user));
            tx.commit().await?;
            Ok(others)
        })
        .await
}

/// A caller who knows the password, and the hash of the new one.
struct Proven<'a> {
    caller: &'a SignedIn,
    user: &'a user::Model,
    own_session: &'a entity::session::Model,
    hash: String,
    input: UpdatePassword,
    now: DateTime<Utc>,
}

async fn record(
    tx: &Transaction,
    app: &App,
    requester: &Requester,
    (user, session): (&user::Model, &entity::session::Model),
    now: DateTime<Utc>,
) -> Result<()> {
    let event = Event::success("password.update").by(user).to(user).within(session);
    event.record(tx, app, &requester.client, now).await
}

async fn prove<'a>(app: &App, requester: &'a Requester, input: UpdatePassword) -> Result<Proven<'a>> {
    // Not `permit`: whoever has to choose a new password does it here.
    let caller = requester.known()?;
    let own_session = caller.in_session()?;
    let user = &caller.user;
    let stored = user.password_hash.as_ref().map(|hash| hash.expose());
    let now = app.clock.now();
    count_change(app, caller, access::UPDATE_PASSWORD, now).await?;
    let attempt = Attempt::in_session(app, &requester.client, (user, own_session), now).await?;
    let verdict = match app.hasher.verify(&input.current, stored).await {
        Ok(verdict) => verdict,
        Err(error) => {
            attempt.cancel().await?;
            return Err(error);
        }
    };
    if !verdict.matches {
        attempt.fail().await?;
        let event = Event::failed("password.update").by(user).to(user).within(own_session);
        failures::record(app, &requester.client, event, &user.username_key, now).await?;
        let message = "the current password is wrong";
        return Err(Refusal::new(RefusalCode::WrongPassword, message).on("currentPassword").into());
    }
    app.db.retry(|| attempt.succeed(app.db.writer())).await?;
    let same = || Refusal::new(RefusalCode::SamePassword, "choose another password").on("newPassword");
    if input.new.expose_secret() == input.current.expose_secret() {
        return Err(same().into());
    }
    check_new(app, &input.new, names(user), "newPassword").await?;
    if app.hasher.verify(&input.new, stored).await?.matches {
        return Err(same().into());
    }
    let hash = app.hasher.hash(&input.new).await?;

    Ok(Proven { caller, user, own_session, hash, input, now: app.clock.now() })
}

/// Writes the new password over the locked row `before`; the account then, and what else was ended.
async fn change(tx: &Transaction, proven: &Proven<'_>, before: &user::Model) -> Result<(user::Model, Ended)> {
    let Proven { caller: _, user, own_session, hash, input, now } = proven;
    // The current password was verified against the hash of before.
    let is_current = before.password_hash == user.password_hash;
    if !is_current || !users::update_password(tx, before, hash.clone(), false, *now).await? {
        return Err(accounts::changed_meanwhile());
    }
    let user = accounts::reread(tx, before).await?;
    let tokens = ApiTokens::revoking(input.revoke_api_tokens);
    let others = match (input.end_others, tokens) {
        (true, _) => {
            let reason = EndReason::PasswordChanged;
            end_all_with(tx, &user, Some(own_session.id), tokens, reason, *now).await?
        }
        (false, ApiTokens::All) => Ended { sessions: 0, api_tokens: tokens.revoke(tx, &user, *now).await? },
        (false, ApiTokens::FromLogin) => Ended::default(),
    };
    Ok((user, others))
}

/// Letters of a password that is made for somebody: 94 bits, which no policy refuses.
const MADE_LENGTH: usize = 20;

/// Gives another user a password of random letters, which has to be changed first, and ends all of that user's
/// sessions. The password is told this once.
///
/// # Errors
/// As [`set`].
pub async fn reset(app: &App, requester: &Requester, user_id: UserId) -> Result<(user::Model, SecretString)> {
    requester.permit(access::WRITE_USERS)?;
    let password = SecretString::from(letters(app, MADE_LENGTH.max(app.policy.min_length())));
    let user = set(app, requester, user_id, password.clone(), true, ApiTokens::All).await?;
    Ok((user, password))
}

/// Random small letters, each as likely as the others.
fn letters(app: &App, length: usize) -> String {
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
    api_tokens: ApiTokens,
) -> Result<user::Model> {
    let caller = requester.permit(access::WRITE_USERS)?;
    let user = power::find_user(app.db.reader(), caller, Act::SetPassword, user_id).await?;
    check_new(app, &password, names(&user), "password").await?;
    let hash = app.hasher.hash(&password).await?;

    let now = app.clock.now();
    app.db
        .retry(|| async {
            let (tx, caller) = Transaction::begin_as(app, caller, access::WRITE_USERS, now).await?;
            let user = power::lock_user(&tx, &caller, Act::SetPassword, user_id).await?;
            if !users::update_password(&tx, &user, hash.clone(), must_change, now).await? {
                return Err(accounts::changed_meanwhile());
            }
            end_all_with(&tx, &user, None, api_tokens, EndReason::PasswordChanged, now).await?;
            Event::success("password.set").made_by(&caller).to(&user).record(&tx, app, &requester.client, now).await?;
            let user = accounts::reread(&tx, &user).await?;
            tx.note(Fact::Updated(user.clone()));
            tx.commit().await?;
            Ok(user)
        })
        .await
}

/// The names that the password of `user` must not be.
pub(super) fn names(user: &user::Model) -> Vec<String> {
    [Some(&user.username), user.email.as_ref(), user.display_name.as_ref()].into_iter().flatten().cloned().collect()
}

/// Refuses a new password that the policy does not take for an account with these `names`.
pub(super) async fn check_new(
    app: &App,
    password: &SecretString,
    names: Vec<String>,
    field: &'static str,
) -> Result<()> {
    let violations = app.policy.violations(password, names).await?;
    if violations.is_empty() {
        return Ok(());
    }
    let reasons: Vec<String> = violations.iter().map(|violation| explanation(*violation, app)).collect();
    let message = format!("choose a stronger password: {}", reasons.join("; "));
    Err(Refusal { violations, ..Refusal::new(RefusalCode::WeakPassword, message).on(field) }.into())
}

fn explanation(violation: PasswordViolation, app: &App) -> String {
    match violation {
        PasswordViolation::TooShort => format!("it needs at least {} characters", app.policy.min_length()),
        PasswordViolation::TooLong => "it may have at most 256 characters".to_owned(),
        PasswordViolation::TooCommon => "it is on the list of common passwords".to_owned(),
        PasswordViolation::ContainsIdentity => "it is a name of the account".to_owned(),
        PasswordViolation::Guessable => "it is easy to guess".to_owned(),
    }
}
