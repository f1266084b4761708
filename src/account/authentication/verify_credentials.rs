//! Verification of a name and a password, and what every login does after it.

use chrono::{DateTime, Utc};
use entity::user;
use uuid::Uuid;

use super::credentials::LoginCredentials;
use super::login_origin::{self, LoginOrigin};
use super::password_attempt::{AttemptKey, PasswordAttempt};
use crate::account::access::grants;
use crate::account::caller::request_context::RequestContext;
use crate::account::event::audit::AuditEvent;
use crate::account::event::audit_action::AuditAction;
use crate::account::event::failure_audit;
use crate::account::event::unit_of_work::UnitOfWork;
use crate::account::names::identifier::Identifier;
use crate::app::App;
use crate::error::{Error, Refusal, RefusalCode, Result};
use crate::store::users;

/// A user whose password was verified. Only [`verify_credentials`] makes one. The attempt stays pending, and counts,
/// until [`VerifiedUser::complete`] ends it.
#[must_use]
pub(super) struct VerifiedUser<'a> {
    app: &'a App,
    context: &'a RequestContext,
    credentials: LoginCredentials,
    attempt: PasswordAttempt<'a>,
    /// The device of the login, if it is known.
    pub device: Option<Uuid>,
    matched: PasswordMatch,
}

/// A user and the password that matched.
struct PasswordMatch {
    user: user::Model,
    /// The hash that replaces the stored one, if that has outdated parameters.
    rehash: Option<String>,
}

/// How often a login is tried while the user changes concurrently.
const MAX_TRIES: usize = 3;

/// Verifies a name and a password; opens nothing. An unknown name, a wrong password and a disabled user get the same
/// response at the same cost (OWASP Authentication Cheat Sheet; promise B1).
///
/// # Errors
/// Refusals with [`RefusalCode::InvalidCredentials`] and [`RefusalCode::TooManyAttempts`].
pub(super) async fn verify_credentials<'a>(
    app: &'a App,
    context: &'a RequestContext,
    credentials: LoginCredentials,
) -> Result<VerifiedUser<'a>> {
    app.hasher.check_capacity()?;
    let now = app.clock.now();
    // Before the name is normalized or looked up and before a token is verified. So a rate-limited address learns
    // nothing from the timing (promise B2) and costs nothing.
    let mut attempt = PasswordAttempt::for_address(app, context, now).await?;
    let user = credentials.find_user(app).await?;
    let origin = login_origin::recognize(app, context, user.as_ref(), credentials.device_token.as_ref(), now).await?;
    attempt.reserve_for(attempt_key(user.as_ref(), &origin), credentials.name.counter_key(), now).await?;
    let matched = verify_attempt(app, context, &credentials, user, &mut attempt).await?;
    Ok(VerifiedUser { app, context, credentials, attempt, device: origin.device, matched })
}

fn attempt_key<'a>(user: Option<&'a user::Model>, origin: &'a LoginOrigin) -> AttemptKey<'a> {
    match (user, origin.device, &origin.network) {
        (Some(_), Some(device), _) => AttemptKey::Device(device),
        (Some(user), None, Some(network)) => AttemptKey::Network(user, network),
        (Some(user), None, None) => AttemptKey::User(user),
        (None, ..) => AttemptKey::UnknownName,
    }
}

impl<'a> VerifiedUser<'a> {
    /// Records the login and runs `work` with the user, in one transaction, which `work` returns to be committed. Both
    /// are repeated if the transaction conflicts. If the password or the status changed since the verification, the
    /// password is verified again.
    ///
    /// Every route that accepts a name and a password passes here between the verification and the session or token.
    ///
    /// # Errors
    /// Those of `work`, which cancel the attempt; those of [`verify_credentials`].
    pub async fn complete<T, F>(mut self, work: impl Fn(UnitOfWork<'a>, user::Model, DateTime<Utc>) -> F) -> Result<T>
    where
        F: Future<Output = Result<(UnitOfWork<'a>, T)>>,
    {
        let (app, context) = (self.app, self.context);
        for remaining in (0..MAX_TRIES).rev() {
            match self.try_complete(&work).await {
                Ok(Some(result)) => return Ok(result),
                Ok(None) if remaining == 0 => break,
                Ok(None) => {
                    let user = match self.credentials.find_user(app).await {
                        Ok(user) => user,
                        Err(error) => {
                            self.attempt.cancel().await?;
                            return Err(error);
                        }
                    };
                    self.matched = verify_attempt(app, context, &self.credentials, user, &mut self.attempt).await?;
                }
                Err(error) => {
                    self.attempt.cancel().await?;
                    return Err(error);
                }
            }
        }
        self.attempt.fail().await?;
        Err(record_failure(app, context, None, &self.credentials.name).await?)
    }

    /// Returns `None` if the user changed since the verification: another login may have updated the hash.
    async fn try_complete<T, F>(
        &self,
        work: &impl Fn(UnitOfWork<'a>, user::Model, DateTime<Utc>) -> F,
    ) -> Result<Option<T>>
    where
        F: Future<Output = Result<(UnitOfWork<'a>, T)>>,
    {
        let (app, context) = (self.app, self.context);
        let PasswordMatch { user, rehash } = &self.matched;
        let now = app.clock.now();
        app.write(context, now, async |tx| {
            let Some(user) = users::update_login(&tx, user, rehash.clone(), now).await? else {
                return Ok(tx.roll_back(None));
            };
            let (tx, result) = work(tx, user, now).await?;
            self.attempt.succeed(&tx).await?;
            tx.commit(Some(result)).await
        })
        .await
    }
}

/// Verifies the password and ends the attempt if it is wrong or undecided.
async fn verify_attempt(
    app: &App,
    context: &RequestContext,
    credentials: &LoginCredentials,
    user: Option<user::Model>,
    attempt: &mut PasswordAttempt<'_>,
) -> Result<PasswordMatch> {
    let result = verify(app, context, credentials, user, attempt).await;
    if let Err(error) = &result {
        if error.is_refusal(RefusalCode::InvalidCredentials) {
            attempt.fail().await?;
        } else {
            attempt.cancel().await?;
        }
    }
    result
}

async fn verify(
    app: &App,
    context: &RequestContext,
    credentials: &LoginCredentials,
    user: Option<user::Model>,
    attempt: &mut PasswordAttempt<'_>,
) -> Result<PasswordMatch> {
    let LoginCredentials { name, password, required_role, .. } = credentials;
    let user = user.filter(|user| credentials.matches(user));
    let stored = user.as_ref().and_then(|user| user.password_hash.as_ref()).map(|hash| hash.expose());
    let has_role = has_required_role(app, user.as_ref(), required_role.as_deref()).await?;
    let verdict = app.hasher.verify(password, stored).await?;
    let is_admitted = |user: &user::Model| verdict.is_match && has_role && user.is_active() && !attempt.is_locked();
    let user = match user {
        Some(user) if is_admitted(&user) => user,
        refused => return Err(record_failure(app, context, refused.as_ref(), name).await?),
    };
    attempt.count_login(&user, app.clock.now()).await?;
    let rehash = if verdict.needs_rehash { Some(app.hasher.hash(password).await?) } else { None };
    Ok(PasswordMatch { user, rehash })
}

/// Whether the user has the required role. The query also runs for unknown names and before password verification, so
/// that timing does not reveal whether the password was correct.
async fn has_required_role(app: &App, user: Option<&user::Model>, role: Option<&str>) -> Result<bool> {
    let Some(role) = role else { return Ok(true) };
    // No user has row id 0.
    Ok(grants::access_of(app.db.reader(), user.map_or(0, |user| user.id)).await?.has_role(role))
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
