//! Password changes by the user.

use chrono::{DateTime, Utc};
use entity::session::EndReason;
use entity::user;
use secrecy::{ExposeSecret, SecretString};

use super::login_origin;
use super::password_attempt::PasswordAttempt;
use super::password_policy::{check_policy, forbidden_names};
use super::session::{self, IssuedSession, NewSession};
use super::session_end::{self, ApiTokenSelection, EndedCounts, end_all_and_api_tokens};
use crate::account::access::rule;
use crate::account::caller::rate_limit::limit_own_change;
use crate::account::caller::requester::Requester;
use crate::account::event::audit::AuditEvent;
use crate::account::event::audit_action::AuditAction;
use crate::account::event::domain_event::DomainEvent;
use crate::account::event::failure_audit;
use crate::account::event::unit_of_work::UnitOfWork;
use crate::account::names::name::Name;
use crate::account::tokens;
use crate::app::App;
use crate::error::{Error, Refusal, RefusalCode, Result, TokenError};
use crate::store::users;

/// A new password, with the current one as proof.
#[derive(Debug)]
pub struct UpdatePassword {
    /// The current password.
    pub current: SecretString,
    /// The new password.
    pub new: SecretString,
    /// Whether to end all other sessions and the API tokens created by logins.
    pub end_others: bool,
    /// Whether to revoke the API tokens created by the user, too.
    pub revoke_api_tokens: bool,
}

/// The result of a password change.
#[derive(Debug)]
pub struct PasswordUpdateResult {
    /// The session that replaces the old one.
    pub issued: IssuedSession,
    /// What else ended.
    pub ended: EndedCounts,
    /// The device's new token: the password change invalidates earlier ones.
    pub device_token: SecretString,
}

/// Changes the caller's password and returns what else ended. A new session replaces the current one, so that tokens
/// stolen from it are useless (OWASP ASVS 7.2.4).
///
/// # Errors
/// Refuses unauthenticated callers, a wrong current password, the same password again, a weak one.
pub async fn update(app: &App, requester: &Requester, input: UpdatePassword) -> Result<PasswordUpdateResult> {
    let change = verify_current(app, requester, input).await?;
    let (own_session, now) = (change.own_session, change.now);
    app.write_as(requester, rule::UPDATE_PASSWORD, now, async |tx, caller| {
        let (user, ended) = write_change(&tx, &change, &caller.user).await?;
        let own = std::slice::from_ref(own_session);
        if session_end::end(&tx, &user, own, EndReason::PasswordChanged, now).await? == 0 {
            return Err(Error::Unauthenticated(TokenError::SessionEnded));
        }
        let device_name = own_session.device_name.as_deref().and_then(|name| Name::parse(name).ok());
        let new_session = NewSession { transport: own_session.transport, device_name };
        let issued = session::open(&tx, app, &user, &requester.context, new_session, now).await?;
        let device = app.entropy.uuid(now);
        login_origin::record_device(&tx, &user, device, now).await?;
        let device_token = tokens::device_token(app, &user, device, now)?;
        tx.record(update_event(&user, &issued.session)).await?;
        tx.emit(DomainEvent::UserUpdated(user));
        tx.commit(PasswordUpdateResult { issued, ended, device_token }).await
    })
    .await
}

/// As [`update`], for legacy clients whose responses cannot carry new tokens: the session continues unchanged.
///
/// # Errors
/// As [`update`].
pub async fn update_keeping_session(app: &App, requester: &Requester, input: UpdatePassword) -> Result<EndedCounts> {
    let change = verify_current(app, requester, input).await?;
    let (own_session, now) = (change.own_session, change.now);
    app.write_as(requester, rule::UPDATE_PASSWORD, now, async |tx, caller| {
        let (user, others) = write_change(&tx, &change, &caller.user).await?;
        tx.record(update_event(&user, own_session)).await?;
        tx.emit(DomainEvent::UserUpdated(user));
        tx.commit(others).await
    })
    .await
}

/// A verified current password, and the hash of the new one.
struct VerifiedChange<'a> {
    user: &'a user::Model,
    own_session: &'a entity::session::Model,
    hash: String,
    input: UpdatePassword,
    now: DateTime<Utc>,
}

fn update_event(user: &user::Model, session: &entity::session::Model) -> AuditEvent {
    AuditEvent::success(AuditAction::PasswordUpdate).by_user(user).on_user(user).in_session(session)
}

async fn verify_current<'a>(app: &App, requester: &'a Requester, input: UpdatePassword) -> Result<VerifiedChange<'a>> {
    // Not `authorize`: a required password change happens here.
    let caller = requester.authenticated()?;
    let own_session = caller.require_session()?;
    let user = &caller.user;
    let stored = user.password_hash.as_ref().map(|hash| hash.expose());
    let now = app.clock.now();
    limit_own_change(app, caller, rule::UPDATE_PASSWORD, now).await?;
    let attempt = PasswordAttempt::for_session(app, &requester.context, user, own_session, now).await?;
    let verdict = match app.hasher.verify(&input.current, stored).await {
        Ok(verdict) => verdict,
        Err(error) => {
            attempt.cancel().await?;
            return Err(error);
        }
    };
    if !verdict.is_match {
        attempt.fail().await?;
        let event = AuditEvent::failed(AuditAction::PasswordUpdate).by_user(user).on_user(user).in_session(own_session);
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

    Ok(VerifiedChange { user, own_session, hash, input, now: app.clock.now() })
}

/// Stores the new password in the locked row `before`; returns the updated user and what else ended.
async fn write_change(
    tx: &UnitOfWork<'_>,
    change: &VerifiedChange<'_>,
    before: &user::Model,
) -> Result<(user::Model, EndedCounts)> {
    let VerifiedChange { user, own_session, hash, input, now } = change;
    // The current password was verified against this hash.
    if before.password_hash != user.password_hash {
        return Err(users::version_conflict());
    }
    let user = users::update_password(tx, before, hash.clone(), false, *now).await?;
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
