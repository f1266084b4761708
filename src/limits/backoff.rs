//! Backoff: delays after consecutive failures, and the lock after a hundred.

use chrono::{DateTime, TimeDelta, Utc};

use super::MAX_CLOCK_SKEW;
use crate::error::Result;

/// A lock ends after a day (NIST SP 800-63B-4 section 3.2.2 permits it; ASVS 6.1.1 forbids that attackers lock a user
/// out for good).
const LOCK_DURATION: TimeDelta = TimeDelta::hours(24);

/// Most consecutive failures that are verified before the lock (NIST SP 800-63B-4 section 3.2.2).
const MAX_FAILURES: i32 = 100;

/// Failures that an expired lock counts as: the last step before the next lock.
const FAILURES_AFTER_LOCK: i32 = 25;

/// Most pending attempts of a key without a failure: as many as one address may fail at once.
pub const MAX_PENDING: i32 = 10;

/// Longest time that an attempt is pending; after it, the attempts of a stopped node count as failed.
const PENDING_TIMEOUT: TimeDelta = TimeDelta::minutes(1);

/// Whether an attempt may succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockState {
    /// It may.
    Unlocked,
    /// The account is locked: the attempt fails, whatever the password.
    Locked,
}

/// Consecutive failures under one key, and when the next attempt is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Failed attempts.
    pub failures: i32,
    /// Pending attempts, which have not failed yet.
    pub pending: i32,
    /// No attempt before this time.
    pub blocked_until: DateTime<Utc>,
    /// Time of the last change.
    pub updated_at: DateTime<Utc>,
}

impl Backoff {
    /// A counter without attempts.
    pub fn new(now: DateTime<Utc>) -> Self {
        Self { failures: 0, pending: 0, blocked_until: now, updated_at: now }
    }

    /// The counter after one more attempt began at `now`. After a failure one attempt is pending at a time, and others
    /// wait as if it had failed, so that parallel guesses gain nothing (ASVS 15.4.2).
    ///
    /// # Errors
    /// How long to wait, if the attempt is too early.
    pub fn reserve(counter: Option<Self>, now: DateTime<Utc>) -> Result<Self, TimeDelta> {
        let counter = counter.unwrap_or_else(|| Self::new(now)).expire_pending(now).after_lock(now);
        let pending = counter.pending.saturating_add(1);
        if counter.failures == 0 {
            let next = Self { pending, blocked_until: now, updated_at: now, ..counter };
            return if pending <= MAX_PENDING { Ok(next) } else { Err(delay(1)) };
        }
        let attempts = counter.failures.saturating_add(counter.pending);
        // Set before the clock was set back: allow one attempt, or all would wait until the clock gets there again
        // (promise R13).
        let latest_possible = now + delay(attempts) + MAX_CLOCK_SKEW;
        if counter.blocked_until <= latest_possible && now < counter.blocked_until {
            return Err(counter.blocked_until - now);
        }
        Ok(Self { pending, blocked_until: now + delay(attempts.saturating_add(1)), updated_at: now, ..counter })
    }

    /// The counter after one of its attempts failed.
    pub fn fail(self, now: DateTime<Utc>) -> Self {
        let failures = self.failures.saturating_add(1);
        let pending = self.pending.saturating_sub(1).max(0);
        Self { failures, pending, blocked_until: now + delay(failures), updated_at: now }
    }

    /// The counter after one of its attempts ended without a verification. The reservation had changed it from `before`
    /// to `after`. If it is still `after`, it returns to `before`; else it loses one pending attempt.
    pub fn release(self, before: Option<Self>, after: Self) -> Self {
        if self == after {
            return before.unwrap_or_else(|| Self::new(self.updated_at));
        }
        Self { pending: self.pending.saturating_sub(1).max(0), ..self }
    }

    /// The lockout counter of an account under all its names, after one more attempt began at `now`. It does not delay:
    /// it locks after 100 consecutive failures, pending attempts included.
    pub fn reserve_lockout(counter: Option<Self>, now: DateTime<Utc>) -> (Self, LockState) {
        let counter = counter.unwrap_or_else(|| Self::new(now)).expire_pending(now).after_lock(now);
        let attempts = counter.failures.saturating_add(counter.pending);
        let latest_possible = now + LOCK_DURATION + MAX_CLOCK_SKEW;
        let is_locked =
            attempts >= MAX_FAILURES && now < counter.blocked_until && counter.blocked_until <= latest_possible;
        let next = Self { pending: counter.pending.saturating_add(1), updated_at: now, ..counter };
        if is_locked {
            return (next, LockState::Locked);
        }
        let blocked_until = if attempts.saturating_add(1) >= MAX_FAILURES { now + LOCK_DURATION } else { now };
        (Self { blocked_until, ..next }, LockState::Unlocked)
    }

    /// The lockout counter after one of its attempts failed.
    pub fn fail_lockout(self, lock_state: LockState, now: DateTime<Utc>) -> Self {
        let pending = self.pending.saturating_sub(1).max(0);
        if lock_state == LockState::Locked {
            return Self { pending, updated_at: now, ..self };
        }
        let failures = self.failures.saturating_add(1);
        let blocked_until = if failures >= MAX_FAILURES { now + LOCK_DURATION } else { self.blocked_until };
        Self { failures, pending, blocked_until, updated_at: now }
    }

    /// An expired lock leaves the delay between attempts: otherwise one failure a day would lock for good.
    fn after_lock(self, now: DateTime<Utc>) -> Self {
        let has_expired = self.failures >= MAX_FAILURES && self.blocked_until <= now;
        if has_expired { Self { failures: FAILURES_AFTER_LOCK, ..self } } else { self }
    }

    /// Pending attempts that timed out count as failed: their node stopped, or their client left.
    fn expire_pending(self, now: DateTime<Utc>) -> Self {
        let age = now - self.updated_at;
        if self.pending == 0 || (-MAX_CLOCK_SKEW..PENDING_TIMEOUT).contains(&age) {
            return self;
        }
        Self { failures: self.failures.saturating_add(self.pending), pending: 0, ..self }
    }
}

/// The delay after this many consecutive failures; at most 100 are verified per day (NIST SP 800-63B-4 section 3.2.2).
fn delay(failures: i32) -> TimeDelta {
    match failures {
        ..=0 => TimeDelta::zero(),
        1..=2 => TimeDelta::seconds(1),
        3..=8 => TimeDelta::seconds(3),
        9..=24 => TimeDelta::seconds(5),
        25..MAX_FAILURES => TimeDelta::seconds(10),
        _ => LOCK_DURATION,
    }
}

#[cfg(test)]
mod tests;
