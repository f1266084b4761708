//! Counters of password attempts, shared by every entry point that verifies a password.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{session, throttle, user};
use uuid::Uuid;

use super::unknown_names;
use crate::account::caller::rate_limit::{take_from_bucket, too_many_attempts};
use crate::account::caller::request_context::RequestContext;
use crate::app::App;
use crate::error::Result;
use crate::limits::backoff::{Backoff, LockState, MAX_PENDING};
use crate::limits::key::RateLimitKey;
use crate::limits::unknown_names::UnknownNames;
use crate::store::{Connection, throttles};

/// What a password attempt is counted for. A name has two counters. One per name delays, for known and unknown names
/// alike. One per user, across all its names, locks and does not say so. So responses reveal neither which users exist
/// nor which names belong to one user (promise B5).
#[derive(Debug, Clone, Copy)]
pub(in crate::account) enum AttemptKey<'a> {
    /// A user, from any address.
    User(&'a user::Model),
    /// A user, from a network with an earlier login: each network has its own counter, which others outside it cannot
    /// use up.
    Network(&'a user::Model, &'a str),
    /// A device with a valid device token: no other client uses up its attempts.
    Device(Uuid),
    /// A session: no other client uses up its attempts.
    Session(&'a session::Model),
    /// A name that no user has.
    UnknownName,
}

/// How often a counter update is retried after a lost race; as many attempts may be pending at once.
const MAX_SWAPS: usize = 2 * MAX_PENDING as usize;

/// One attempt, counted before anything is hashed, so that parallel guesses cannot pass between check and count (ASVS
/// 15.4.2). It is pending until it succeeds, fails or is cancelled.
pub(in crate::account) struct PasswordAttempt<'a> {
    app: &'a App,
    /// The address's bucket that it was taken from.
    address: Option<RateLimitKey>,
    /// The counters that were incremented.
    changes: Vec<CounterChange>,
    /// The user's bucket of successful logins that it was taken from.
    login: Option<RateLimitKey>,
}

/// A counter before and after one attempt began.
struct CounterChange {
    kind: CounterKind,
    before: Option<throttle::Model>,
    after: throttle::Model,
}

/// The purpose of a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CounterKind {
    /// Delays the next attempt, and reports the delay.
    Delay,
    /// Locks a user across all its names.
    Lockout(LockState),
}

fn backoff_of(row: &throttle::Model) -> Backoff {
    let throttle::Model { failures, pending, blocked_until, updated_at, .. } = *row;
    Backoff { failures, pending, blocked_until: blocked_until.utc(), updated_at: updated_at.utc() }
}

fn row_of(subject: String, backoff: Backoff) -> throttle::Model {
    let Backoff { failures, pending, blocked_until, updated_at } = backoff;
    throttle::Model { subject, failures, pending, blocked_until: blocked_until.into(), updated_at: updated_at.into() }
}

impl<'a> PasswordAttempt<'a> {
    /// Reserves one attempt within a session. It takes nothing from the address's bucket: others on the same address
    /// cannot keep the session's owner from changing the password.
    ///
    /// # Errors
    /// As [`Self::reserve_for`]; [`crate::error::Error::OneCredentialCheckPerRequest`] for the second check of a request.
    pub async fn for_session(
        app: &'a App,
        context: &RequestContext,
        user: &user::Model,
        session: &session::Model,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        context.take_credential_check()?;
        let mut attempt = Self { app, address: None, changes: Vec::new(), login: None };
        attempt.reserve_for(AttemptKey::Session(session), &user.username_key, now).await?;
        Ok(attempt)
    }

    /// Reserves one attempt of the client address, before any other work.
    ///
    /// # Errors
    /// A refusal with [`crate::error::RefusalCode::TooManyAttempts`]; [`crate::error::Error::OneCredentialCheckPerRequest`] for the second check of
    /// a request.
    pub async fn for_address(app: &'a App, context: &RequestContext, now: DateTime<Utc>) -> Result<Self> {
        context.take_credential_check()?;
        let address = if app.config.limits.is_enabled {
            take_from_bucket(&app.rate_limits.failed_logins, context, now).await?
        } else {
            None
        };
        Ok(Self { app, address, changes: Vec::new(), login: None })
    }

    /// Reserves one attempt for `key` under the name key `name`. Unknown names cost the same database work, on dummy
    /// counters, so neither time nor lockout reveals which users exist.
    ///
    /// # Errors
    /// A refusal with [`crate::error::RefusalCode::TooManyAttempts`]. The address's attempt stays taken: otherwise a client could
    /// compare refusals without limit.
    pub async fn reserve_for(&mut self, key: AttemptKey<'_>, name: &str, now: DateTime<Utc>) -> Result<()> {
        if !self.app.config.limits.is_enabled {
            return Ok(());
        }
        let names = &self.app.rate_limits.unknown_names;
        let (delay, lockout) = match key {
            AttemptKey::User(user) => (names.counter_key(name), Some(format!("user:{}", user.id))),
            AttemptKey::Network(user, network) => {
                // No name begins with a blank.
                let subject = names.counter_key(&format!(" {network} {name}"));
                (subject, Some(format!("{network}:user:{}", user.id)))
            }
            AttemptKey::UnknownName => (names.counter_key(name), Some(names.dummy_lockout_key(name))),
            AttemptKey::Device(device) => (format!("device:{device}"), None),
            AttemptKey::Session(session) => (format!("session:{}", session.id), None),
        };
        self.reserve(delay, |current| {
            Ok((Backoff::reserve(current, now).map_err(too_many_attempts)?, CounterKind::Delay))
        })
        .await?;
        let Some(lockout) = lockout else { return Ok(()) };
        let locked = self.reserve(lockout, |current| {
            let (next, state) = Backoff::reserve_lockout(current, now);
            Ok((next, CounterKind::Lockout(state)))
        });
        if let Err(error) = locked.await {
            self.release().await?;
            return Err(error);
        }
        Ok(())
    }

    async fn reserve(
        &mut self,
        subject: String,
        change: impl Fn(Option<Backoff>) -> Result<(Backoff, CounterKind)>,
    ) -> Result<()> {
        for _ in 0..MAX_SWAPS {
            let before = throttles::find(self.app.db.reader(), &subject).await?;
            let (reserved, kind) = change(before.as_ref().map(backoff_of))?;
            let after = row_of(subject.clone(), reserved);
            if self.swap_counter(before.as_ref(), &after).await? {
                if before.is_none() && UnknownNames::PREFIXES.iter().any(|prefix| subject.starts_with(prefix)) {
                    unknown_names::record_added(self.app);
                }
                self.changes.push(CounterChange { kind, before, after });
                return Ok(());
            }
        }
        Err(too_many_attempts(TimeDelta::seconds(1)))
    }

    /// Whether the user is locked under all its names. The attempt then fails like one with a wrong password, at the
    /// same cost: a distinct refusal would reveal whose name it is.
    pub fn is_locked(&self) -> bool {
        self.changes.iter().any(|change| change.kind == CounterKind::Lockout(LockState::Locked))
    }

    /// Takes one from the user's bucket of successful logins. Only correct passwords use it up.
    ///
    /// # Errors
    /// A refusal with [`crate::error::RefusalCode::TooManyAttempts`].
    pub async fn count_login(&mut self, user: &user::Model, now: DateTime<Utc>) -> Result<()> {
        if !self.app.config.limits.is_enabled || self.login.is_some() {
            return Ok(());
        }
        let subject = RateLimitKey::user(user.id);
        self.app.rate_limits.successful_logins.take(subject, now).await.map_err(too_many_attempts)?;
        self.login = Some(subject);
        Ok(())
    }

    /// Returns false if a concurrent attempt changed the counter first.
    async fn swap_counter(&self, before: Option<&throttle::Model>, after: &throttle::Model) -> Result<bool> {
        let db = &self.app.db;
        db.retry(|| async {
            match before {
                Some(before) => throttles::update(db.writer(), before, after).await,
                None => throttles::insert(db.writer(), after).await,
            }
        })
        .await
    }

    /// Records a correct password: resets the failure counters and refunds the address.
    pub async fn succeed(&self, tx: &impl Connection) -> Result<()> {
        for change in &self.changes {
            throttles::clear(tx, &change.after.subject).await?;
        }
        self.refund().await;
        Ok(())
    }

    /// Records a wrong password: the next attempt is delayed.
    pub async fn fail(&self) -> Result<()> {
        let now = self.app.clock.now();
        for change in &self.changes {
            self.update_counter(change, |counter| match change.kind {
                CounterKind::Delay => counter.fail(now),
                CounterKind::Lockout(state) => counter.fail_lockout(state, now),
            })
            .await?;
        }
        Ok(())
    }

    /// Cancels an undecided attempt: refunds it and keeps other attempts counted. Otherwise a client that overloads the
    /// server could erase its guesses.
    pub async fn cancel(&self) -> Result<()> {
        self.refund().await;
        if let Some(user) = self.login {
            self.app.rate_limits.successful_logins.refund(user).await;
        }
        self.release().await
    }

    async fn release(&self) -> Result<()> {
        for change in &self.changes {
            let (before, after) = (change.before.as_ref().map(backoff_of), backoff_of(&change.after));
            self.update_counter(change, |counter| counter.release(before, after)).await?;
        }
        Ok(())
    }

    /// Updates the counter; a missing row counts as unchanged since the reservation.
    async fn update_counter(
        &self,
        CounterChange { after, .. }: &CounterChange,
        change: impl Fn(Backoff) -> Backoff,
    ) -> Result<()> {
        for _ in 0..MAX_SWAPS {
            let current = throttles::find(self.app.db.reader(), &after.subject).await?;
            let next = change(backoff_of(current.as_ref().unwrap_or(after)));
            if self.swap_counter(current.as_ref(), &row_of(after.subject.clone(), next)).await? {
                break;
            }
        }
        Ok(())
    }

    async fn refund(&self) {
        if let Some(address) = self.address {
            self.app.rate_limits.failed_logins.refund(address).await;
        }
    }
}
