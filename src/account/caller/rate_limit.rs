//! Rate limits by client address and by credential.

use chrono::{DateTime, TimeDelta, Utc};

use super::request_context::RequestContext;
use super::requester::Caller;
use crate::account::access::rule::Rule;
use crate::app::App;
use crate::error::{Error, Refusal, RefusalCode, Result};
use crate::limits::key::RateLimitKey;
use crate::limits::token_bucket::TokenBucket;

/// Counts a call to a route that the legacy service rate-limited per minute, whatever its outcome.
///
/// # Errors
/// A refusal with [`RefusalCode::TooManyAttempts`].
pub async fn count_legacy_call(app: &App, context: &RequestContext, route: LegacyRoute) -> Result<()> {
    if !app.config.limits.is_enabled {
        return Ok(());
    }
    let bucket = match route {
        LegacyRoute::Login => &app.rate_limits.legacy_logins,
        LegacyRoute::Register => &app.rate_limits.legacy_registrations,
    };
    take_from_bucket(bucket, context, app.clock.now()).await.map(drop)
}

/// Legacy routes with their own rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LegacyRoute {
    /// PlantDB's `POST /login`: 20 a minute.
    Login,
    /// PlantDB's `POST /register`: 5 a minute.
    Register,
}

/// Takes one token from the address's bucket and returns the key, so the caller can refund it.
///
/// # Errors
/// A refusal with [`RefusalCode::TooManyAttempts`].
pub(in crate::account) async fn take_from_bucket(
    bucket: &TokenBucket,
    context: &RequestContext,
    now: DateTime<Utc>,
) -> Result<Option<RateLimitKey>> {
    let Some(address) = context.address.map(RateLimitKey::address) else { return Ok(None) };
    bucket.take(address, now).await.map_err(too_many_attempts)?;
    Ok(Some(address))
}

/// One check whether a name is free, counted against the address's bucket of taken names. Registrations and renames
/// share the bucket, which limits user enumeration.
pub(in crate::account) struct NameCheck {
    address: Option<RateLimitKey>,
}

impl NameCheck {
    /// Takes one token before the result is known, so that parallel requests gain nothing.
    ///
    /// # Errors
    /// A refusal with [`RefusalCode::TooManyAttempts`].
    pub async fn reserve(app: &App, context: &RequestContext, now: DateTime<Utc>) -> Result<Self> {
        let is_counted = app.config.limits.is_enabled;
        let address =
            if is_counted { take_from_bucket(&app.rate_limits.taken_names, context, now).await? } else { None };
        Ok(Self { address })
    }

    /// Refunds the token unless the name was taken.
    pub async fn complete(self, app: &App, error: Option<&Error>) {
        let taken = [RefusalCode::UsernameTaken, RefusalCode::EmailTaken];
        let is_taken = error.is_some_and(|error| taken.iter().any(|code| error.is_refusal(*code)));
        if let Some(address) = self.address.filter(|_| !is_taken) {
            app.rate_limits.taken_names.refund(address).await;
        }
    }
}

/// Rate-limits a change that `rule` allows without a permission, so a change to the caller's own data: each writes a
/// permanent audit event. Holders of a permission of the rule are exempt. Each credential has its own bucket: an API
/// token or a stolen session cannot use up what the owner needs to revoke it.
///
/// # Errors
/// A refusal with [`RefusalCode::TooManyAttempts`].
pub(in crate::account) async fn limit_own_change(
    app: &App,
    caller: &Caller,
    rule: Rule,
    now: DateTime<Utc>,
) -> Result<()> {
    let is_holder = rule.any_of.iter().any(|permission| caller.access.permissions.contains(permission));
    if !app.config.limits.is_enabled || is_holder {
        return Ok(());
    }
    let throttle = &app.rate_limits;
    let by_credential = match caller.session() {
        Some(session) => format!("session:{}", session.id),
        None => format!("api tokens of user:{}", caller.user.id),
    };
    throttle.changes.take(RateLimitKey::text(&by_credential), now).await.map_err(too_many_attempts)?;
    if caller.session().is_some() {
        throttle
            .changes_across_sessions
            .take(RateLimitKey::user(caller.user.id), now)
            .await
            .map_err(too_many_attempts)?;
    }
    Ok(())
}

/// The refusal to retry after `wait`, rounded up to seconds, at least one.
pub(in crate::account) fn too_many_attempts(wait: TimeDelta) -> Error {
    let seconds = u64::try_from((wait.num_milliseconds() + 999) / 1_000).unwrap_or(1).max(1);
    Refusal::too_many_attempts(seconds).into()
}

impl Refusal {
    /// Retry after this number of seconds.
    fn too_many_attempts(retry_after: u64) -> Self {
        let message = format!("too many attempts: try again in {retry_after} s");
        Self { retry_after: Some(retry_after), ..Self::new(RefusalCode::TooManyAttempts, message) }
    }
}
