//! Attempts: how often somebody may try a password, the same for every door that takes one.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{session, throttle, user};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::unknown_names;
use crate::account::access::rule::Rule;
use crate::account::caller::requester::{Caller, RequestContext};
use crate::app::App;
use crate::error::{Error, Refusal, RefusalCode, Result};
use crate::limits::backoff::{Backoff, LockState, MAX_PENDING};
use crate::limits::rate_limits::RateLimitKey;
use crate::limits::token_bucket::TokenBucket;
use crate::limits::unknown_names::UnknownNames;
use crate::store::throttles;

/// Whose password is tried. Under a name it is counted twice: by the name's key, which delays, whether anybody has the
/// name or not; and by the account under all its names, which locks and does not tell it. So the answers to a name do not
/// tell who exists, nor which names are one account's (promise B5).
#[derive(Debug, Clone, Copy)]
pub(in crate::account) enum AttemptKey<'a> {
    /// That of an account, from anywhere.
    User(&'a user::Model),
    /// That of an account, from a network that signed in to it before: strangers elsewhere cannot spend this budget,
    /// neighbours can. Each network has its own.
    Network(&'a user::Model, &'a str),
    /// That of an account, from a device with a valid device token: no other client spends its budget.
    Device(Uuid),
    /// That of an account, within this session: nobody else can spend its budget.
    Session(&'a session::Model),
    /// That of a name that belongs to nobody.
    UnknownName,
}

/// How often a change of a counter is tried again that another attempt was faster than; so many may be under way at once.
const MAX_SWAPS: usize = 2 * MAX_PENDING as usize;

/// One attempt, counted before anything is hashed, so that parallel guesses cannot slip through between the check and
/// the count (ASVS 15.4.2). It is under way until it succeeds, fails or is cancelled.
pub(in crate::account) struct PasswordAttempt<'a> {
    app: &'a App,
    /// The address's budget that it was taken from.
    address: Option<RateLimitKey>,
    /// The counters it was noted at.
    changes: Vec<CounterChange>,
    /// The user whose budget of logins it was taken from.
    login: Option<RateLimitKey>,
}

/// A counter before and after one attempt began.
struct CounterChange {
    kind: CounterKind,
    before: Option<throttle::Model>,
    after: throttle::Model,
}

/// What a counter is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CounterKind {
    /// It delays the next try, and says so.
    Delay,
    /// It locks an account under all its names.
    Lockout(LockState),
}

fn backoff_of(row: &throttle::Model) -> Backoff {
    let throttle::Model { failures, pending, blocked_until, updated_at, .. } = *row;
    Backoff { failures, pending, blocked_until: blocked_until.utc(), updated_at: updated_at.utc() }
}

fn row_of(subject: String, ladder: Backoff) -> throttle::Model {
    let Backoff { failures, pending, blocked_until, updated_at } = ladder;
    throttle::Model { subject, failures, pending, blocked_until: blocked_until.into(), updated_at: updated_at.into() }
}

impl<'a> PasswordAttempt<'a> {
    /// Reserves one try within a session. The address spends nothing: strangers who share it do not keep the owner of the
    /// session from a new password.
    ///
    /// # Errors
    /// As [`Self::count`]; [`Error::SecondCredentialCheck`] for the second one of a request.
    pub async fn for_session(
        app: &'a App,
        context: &RequestContext,
        (user, session): (&user::Model, &session::Model),
        now: DateTime<Utc>,
    ) -> Result<Self> {
        context.take_credential_check()?;
        let mut attempt = Self { app, address: None, changes: Vec::new(), login: None };
        attempt.reserve_for(AttemptKey::Session(session), &user.username_key, now).await?;
        Ok(attempt)
    }

    /// Reserves one try of the request's address, before anything is done for it.
    ///
    /// # Errors
    /// A refusal with [`RefusalCode::TooManyAttempts`]; [`Error::SecondCredentialCheck`] for the second one of a request.
    pub async fn for_address(app: &'a App, context: &RequestContext, now: DateTime<Utc>) -> Result<Self> {
        context.take_credential_check()?;
        let address = if app.config.limits.is_enabled {
            take_from_bucket(&app.throttle.failed_logins, context, now).await?
        } else {
            None
        };
        Ok(Self { app, address, changes: Vec::new(), login: None })
    }

    /// Reserves one try of whose password is tried under a name with the key `name`. For names that belong to nobody the
    /// database does the same work, on counters of the name's own, so that neither the time nor a lock reveals which accounts exist.
    ///
    /// # Errors
    /// A refusal with [`RefusalCode::TooManyAttempts`]. The address has spent its try all the same: refusals without
    /// bound could be compared.
    pub async fn reserve_for(&mut self, key: AttemptKey<'_>, name: &str, now: DateTime<Utc>) -> Result<()> {
        if !self.app.config.limits.is_enabled {
            return Ok(());
        }
        let names = &self.app.throttle.unknown_names;
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
        self.reserve(delay, |known| Ok((Backoff::reserve(known, now).map_err(too_many_attempts)?, CounterKind::Delay)))
            .await?;
        let Some(lockout) = lockout else { return Ok(()) };
        let locked = self.reserve(lockout, |known| {
            let (next, standing) = Backoff::reserve_lockout(known, now);
            Ok((next, CounterKind::Lockout(standing)))
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

    /// Whether the account is locked under all its names. The attempt fails then like one with a wrong password, with the
    /// same work: a refusal would tell whose name it is.
    pub fn is_locked(&self) -> bool {
        self.changes.iter().any(|counted| counted.kind == CounterKind::Lockout(LockState::Locked))
    }

    /// Takes one from the logins that may succeed for `user`, whose password was right: strangers cannot spend it.
    ///
    /// # Errors
    /// A refusal with [`RefusalCode::TooManyAttempts`].
    pub async fn count_login(&mut self, user: &user::Model, now: DateTime<Utc>) -> Result<()> {
        if !self.app.config.limits.is_enabled || self.login.is_some() {
            return Ok(());
        }
        let subject = RateLimitKey::user(user.id);
        self.app.throttle.successful_logins.take(subject, now).await.map_err(too_many_attempts)?;
        self.login = Some(subject);
        Ok(())
    }

    /// False if another attempt was faster.
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

    /// The password was right: the failures in a row are over, and the address has not failed.
    pub async fn succeed(&self, tx: &impl ConnectionTrait) -> Result<()> {
        for counted in &self.changes {
            throttles::clear(tx, &counted.after.subject).await?;
        }
        self.refund().await;
        Ok(())
    }

    /// The password was wrong: the next attempt has to wait.
    pub async fn fail(&self) -> Result<()> {
        let now = self.app.clock.now();
        for counted in &self.changes {
            self.update_counter(counted, |counter| match counted.kind {
                CounterKind::Delay => counter.fail(now),
                CounterKind::Lockout(standing) => counter.fail_lockout(standing, now),
            })
            .await?;
        }
        Ok(())
    }

    /// Nothing was decided: the attempt is given back, and those of others stay counted. Otherwise a client that keeps
    /// the server busy could have guesses forgotten.
    pub async fn cancel(&self) -> Result<()> {
        self.refund().await;
        if let Some(user) = self.login {
            self.app.throttle.successful_logins.refund(user).await;
        }
        self.release().await
    }

    async fn release(&self) -> Result<()> {
        for counted in &self.changes {
            let (before, after) = (counted.before.as_ref().map(backoff_of), backoff_of(&counted.after));
            self.update_counter(counted, |counter| counter.release(before, after)).await?;
        }
        Ok(())
    }

    /// Changes the counter; one that is gone was as it is after the reservation.
    async fn update_counter(
        &self,
        CounterChange { after, .. }: &CounterChange,
        change: impl Fn(Backoff) -> Backoff,
    ) -> Result<()> {
        for _ in 0..MAX_SWAPS {
            let known = throttles::find(self.app.db.reader(), &after.subject).await?;
            let next = change(backoff_of(known.as_ref().unwrap_or(after)));
            if self.swap_counter(known.as_ref(), &row_of(after.subject.clone(), next)).await? {
                break;
            }
        }
        Ok(())
    }

    async fn refund(&self) {
        if let Some(address) = self.address {
            self.app.throttle.failed_logins.refund(address).await;
        }
    }
}

/// Counts a call of a route that an older service held to a number per minute, whatever comes of it.
///
/// # Errors
/// A refusal with [`RefusalCode::TooManyAttempts`].
pub async fn count_legacy_call(app: &App, context: &RequestContext, route: LegacyRoute) -> Result<()> {
    if !app.config.limits.is_enabled {
        return Ok(());
    }
    let budget = match route {
        LegacyRoute::Login => &app.throttle.legacy_logins,
        LegacyRoute::Register => &app.throttle.legacy_registrations,
    };
    take_from_bucket(budget, context, app.clock.now()).await.map(drop)
}

/// Routes with a limit of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LegacyRoute {
    /// PlantDB's `POST /login`: 20 a minute.
    Login,
    /// PlantDB's `POST /register`: 5 a minute.
    Register,
}

/// Takes one from an address's budget; tells from whose, for those who may give it back.
///
/// # Errors
/// A refusal with [`RefusalCode::TooManyAttempts`].
pub(in crate::account) async fn take_from_bucket(
    budget: &TokenBucket,
    context: &RequestContext,
    now: DateTime<Utc>,
) -> Result<Option<RateLimitKey>> {
    let Some(address) = context.address.map(RateLimitKey::address) else { return Ok(None) };
    budget.take(address, now).await.map_err(too_many_attempts)?;
    Ok(Some(address))
}

/// One check whether a name is free, taken from the address's bucket of taken names: enumeration by registrations and
/// renames shares one limit.
pub(in crate::account) struct NameCheck {
    address: Option<RateLimitKey>,
}

impl NameCheck {
    /// Takes one before it is known, so that parallel requests gain nothing.
    ///
    /// # Errors
    /// A refusal with [`RefusalCode::TooManyAttempts`].
    pub async fn reserve(app: &App, context: &RequestContext, now: DateTime<Utc>) -> Result<Self> {
        let is_counted = app.config.limits.is_enabled;
        let address = if is_counted { take_from_bucket(&app.throttle.taken_names, context, now).await? } else { None };
        Ok(Self { address })
    }

    /// Gives it back unless the name was taken.
    pub async fn complete(self, app: &App, error: Option<&Error>) {
        let taken = [RefusalCode::UsernameTaken, RefusalCode::EmailTaken];
        let is_taken = error.is_some_and(|error| taken.iter().any(|code| error.is_refusal(*code)));
        if let Some(address) = self.address.filter(|_| !is_taken) {
            app.throttle.taken_names.refund(address).await;
        }
    }
}

/// Counts a change that callers make under `rule` without a permission, so to what is their own: it writes an audit
/// record that stays. Holders of a permission of the rule act on others as a part of their work. An API token, or a session
/// that was stolen, does not spend what the owner needs to revoke it.
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
    let throttle = &app.throttle;
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

fn too_many_attempts(wait: TimeDelta) -> Error {
    let seconds = u64::try_from((wait.num_milliseconds() + 999) / 1_000).unwrap_or(1).max(1);
    Refusal::too_many_attempts(seconds).into()
}

impl Refusal {
    /// Come again in so many seconds.
    fn too_many_attempts(retry_after: u64) -> Self {
        let message = format!("too many attempts: try again in {retry_after} s");
        Self { retry_after: Some(retry_after), ..Self::new(RefusalCode::TooManyAttempts, message) }
    }
}
