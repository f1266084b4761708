//! Failures in a row: the steps of delay between tries, and the lock after a hundred.

use chrono::{DateTime, TimeDelta, Utc};

use super::rate_limits::MAX_CLOCK_SKEW;
use crate::error::Result;

/// A lock lifts itself after a day (NIST SP 800-63B-4 section 3.2.2 leaves the way open; ASVS 6.1.1 forbids to let
/// strangers lock an owner out for good).
const LOCK_DURATION: TimeDelta = TimeDelta::hours(24);

/// Most failures in a row that are verified before the lock (NIST SP 800-63B-4 section 3.2.2).
const MAX_FAILURES: i32 = 100;

/// What a lock that is over counts as: the last step before the next lock.
const FAILURES_AFTER_LOCK: i32 = 25;

/// Most attempts under way at once for a subject without a failure: as many as one address may fail at once.
pub const MAX_PENDING: i32 = 10;

/// Longest time that an attempt is under way; the attempts of a node that stopped count as failed after it.
const PENDING_TIMEOUT: TimeDelta = TimeDelta::minutes(1);

/// Whether an attempt may succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockState {
    /// It may.
    Unlocked,
    /// Its account is locked: it fails, whatever the password.
    Locked,
}

/// Failures in a row of one subject, and until when it has to wait for the next try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Attempts that failed.
    pub failures: i32,
    /// Attempts under way, which have not failed yet.
    pub pending: i32,
    /// No try before this.
    pub blocked_until: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Backoff {
    /// A ladder without any attempt.
    pub fn new(now: DateTime<Utc>) -> Self {
        Self { failures: 0, pending: 0, blocked_until: now, updated_at: now }
    }

    /// The ladder after one more attempt began at `now`. After a failure one attempt is under way at a time, and the
    /// others wait as if it had failed, so that parallel guesses gain nothing (ASVS 15.4.2).
    ///
    /// # Errors
    /// How long to wait, if it is too early.
    pub fn reserve(known: Option<Self>, now: DateTime<Utc>) -> Result<Self, TimeDelta> {
        let ladder = known.unwrap_or_else(|| Self::new(now)).expire_pending(now).after_lock(now);
        let pending = ladder.pending.saturating_add(1);
        if ladder.failures == 0 {
            let next = Self { pending, blocked_until: now, updated_at: now, ..ladder };
            return if pending <= MAX_PENDING { Ok(next) } else { Err(delay(1)) };
        }
        let tries = ladder.failures.saturating_add(ladder.pending);
        // Set by a clock that was put back since: one try, or nobody could try until it gets there again (promise R13).
        let possible = now + delay(tries) + MAX_CLOCK_SKEW;
        if ladder.blocked_until <= possible && now < ladder.blocked_until {
            return Err(ladder.blocked_until - now);
        }
        Ok(Self { pending, blocked_until: now + delay(tries.saturating_add(1)), updated_at: now, ..ladder })
    }

    /// The ladder after an attempt of it failed.
    pub fn fail(self, now: DateTime<Utc>) -> Self {
        let failures = self.failures.saturating_add(1);
        let pending = self.pending.saturating_sub(1).max(0);
        Self { failures, pending, blocked_until: now + delay(failures), updated_at: now }
    }

    /// The ladder without an attempt that verified nothing: as it was `before`, if nothing has happened `after`.
    pub fn release(self, before: Option<Self>, after: Self) -> Self {
        if self == after {
            return before.unwrap_or_else(|| Self::new(self.updated_at));
        }
        Self { pending: self.pending.saturating_sub(1).max(0), ..self }
    }

    /// The counter of an account under all its names after one more attempt began at `now`. It delays nothing: it locks
    /// after 100 failures in a row, attempts under way among them.
    pub fn reserve_lockout(known: Option<Self>, now: DateTime<Utc>) -> (Self, LockState) {
        let counter = known.unwrap_or_else(|| Self::new(now)).expire_pending(now).after_lock(now);
        let tries = counter.failures.saturating_add(counter.pending);
        let possible = now + LOCK_DURATION + MAX_CLOCK_SKEW;
        let is_locked = tries >= MAX_FAILURES && now < counter.blocked_until && counter.blocked_until <= possible;
        let next = Self { pending: counter.pending.saturating_add(1), updated_at: now, ..counter };
        if is_locked {
            return (next, LockState::Locked);
        }
        let blocked_until = if tries.saturating_add(1) >= MAX_FAILURES { now + LOCK_DURATION } else { now };
        (Self { blocked_until, ..next }, LockState::Unlocked)
    }

    /// The counter of an account after an attempt of it failed.
    pub fn fail_lockout(self, standing: LockState, now: DateTime<Utc>) -> Self {
        let pending = self.pending.saturating_sub(1).max(0);
        if standing == LockState::Locked {
            return Self { pending, updated_at: now, ..self };
        }
        let failures = self.failures.saturating_add(1);
        let blocked_until = if failures >= MAX_FAILURES { now + LOCK_DURATION } else { self.blocked_until };
        Self { failures, pending, blocked_until, updated_at: now }
    }

    /// A lock that is over leaves the steps between tries: otherwise one failure a day would lock for good.
    fn after_lock(self, now: DateTime<Utc>) -> Self {
        let is_over = self.failures >= MAX_FAILURES && self.blocked_until <= now;
        if is_over { Self { failures: FAILURES_AFTER_LOCK, ..self } } else { self }
    }

    /// Unsettled attempts count as failed: their node stopped, or their client left.
    fn expire_pending(self, now: DateTime<Utc>) -> Self {
        let age = now - self.updated_at;
        if self.pending == 0 || (-MAX_CLOCK_SKEW..PENDING_TIMEOUT).contains(&age) {
            return self;
        }
        Self { failures: self.failures.saturating_add(self.pending), pending: 0, ..self }
    }
}

/// The wait after so many failures in a row; no more than 100 are verified without a day in between (NIST SP 800-63B-4
/// section 3.2.2).
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
mod tests {
    use super::*;

    fn test_time() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    /// One attempt that failed.
    fn failed(ladder: Option<Backoff>, now: DateTime<Utc>) -> Result<Backoff, TimeDelta> {
        Backoff::reserve(ladder, now).map(|ladder| ladder.fail(now))
    }

    #[test]
    fn climbs_by_1_3_5_and_10_seconds_and_locks_after_100() {
        let (mut now, mut ladder) = (test_time(), None);
        let mut waits = Vec::new();
        for _ in 0..101 {
            let next = failed(ladder, now).unwrap();
            let wait = next.blocked_until - now;
            assert!(Backoff::reserve(Some(next), now + wait - TimeDelta::milliseconds(1)).is_err());
            waits.push(wait.num_seconds());
            (now, ladder) = (now + wait, Some(next));
        }
        assert_eq!(waits[..3], [1, 1, 3]);
        assert_eq!((waits[7], waits[8], waits[23], waits[24], waits[98]), (3, 5, 5, 10, 10));
        assert_eq!((waits[99], waits[100]), (86_400, 10), "a lock that is over is not renewed by one failure");
    }

    #[test]
    fn is_not_frozen_by_a_clock_that_was_set_back() {
        let once = failed(None, test_time()).unwrap();
        let (back, second) = (test_time() - TimeDelta::days(365), TimeDelta::seconds(1));
        let twice = failed(Some(once), back).unwrap();
        assert_eq!((twice.failures, twice.blocked_until), (2, back + second), "one try, and the ladder goes on");
        assert_eq!(failed(Some(twice), back), Err(second));
        let locked =
            Backoff { failures: 100, pending: 0, blocked_until: test_time() + LOCK_DURATION, updated_at: test_time() };
        let again = failed(Some(locked), back).unwrap();
        assert_eq!(failed(Some(again), back + LOCK_DURATION - second), Err(second), "nobody is freed");
        // The time of another request, or of another node, is no leap.
        assert!(failed(Some(once), test_time() - MAX_CLOCK_SKEW).is_err());
        let pending = (0..MAX_PENDING).fold(None, |ladder, _| Some(Backoff::reserve(ladder, test_time()).unwrap()));
        assert!(Backoff::reserve(pending, back).is_ok(), "attempts under way end, whatever the clock says");
    }

    /// A6
    #[test]
    fn attempts_under_way_are_no_failures_and_are_bounded() {
        let (now, second) = (test_time(), TimeDelta::seconds(1));
        let mut ladder = Backoff::reserve(None, now).unwrap();
        for _ in 1..MAX_PENDING {
            ladder = Backoff::reserve(Some(ladder), now).unwrap();
        }
        assert_eq!(Backoff::reserve(Some(ladder), now), Err(second));
        let one = ladder.fail(now);
        assert_eq!((one.failures, one.pending), (1, MAX_PENDING - 1));
        assert_eq!(Backoff::reserve(Some(one), now), Err(second), "the first failure makes all others wait");
        let all = (0..MAX_PENDING).fold(ladder, |ladder, _| ladder.fail(now));
        assert_eq!((all.failures, all.pending, all.blocked_until), (MAX_PENDING, 0, now + delay(MAX_PENDING)));
        let lost = Backoff::reserve(Some(ladder), now + PENDING_TIMEOUT).unwrap();
        assert_eq!((lost.failures, lost.pending), (MAX_PENDING, 1), "what nobody settles has failed");
    }

    #[test]
    fn an_attempt_that_verified_nothing_is_given_back() {
        let (now, later) = (test_time(), test_time() + TimeDelta::seconds(1));
        let first = Backoff::reserve(None, now).unwrap();
        assert_eq!(first.release(None, first), Backoff::new(now));
        let known = first.fail(now);
        let second = Backoff::reserve(Some(known), later).unwrap();
        assert_eq!(second.release(Some(known), second), known);
        let failed = Backoff::reserve(Some(first), now).unwrap().fail(later);
        let released = failed.release(None, first);
        assert_eq!((released.failures, released.pending), (1, 0), "the failure of another one stays");
    }

    #[test]
    fn an_account_is_locked_after_a_hundred_failures_whatever_their_names() {
        let (now, day) = (test_time(), TimeDelta::hours(24));
        let mut counter = None;
        for tried in 0..MAX_FAILURES {
            let (next, standing) = Backoff::reserve_lockout(counter, now);
            assert_eq!(standing, LockState::Unlocked, "try {tried}");
            counter = Some(next.fail_lockout(standing, now));
        }
        let later = now + TimeDelta::hours(1);
        let (next, standing) = Backoff::reserve_lockout(counter, later);
        assert_eq!(standing, LockState::Locked);
        let after = next.fail_lockout(standing, later);
        assert_eq!((after.failures, after.pending, after.blocked_until), (MAX_FAILURES, 0, now + day), "not longer");
        let (next, standing) = Backoff::reserve_lockout(Some(after), now + day);
        assert_eq!((next.failures, standing), (FAILURES_AFTER_LOCK, LockState::Unlocked));

        // Those under way count, too.
        let almost = Backoff { failures: MAX_FAILURES - 1, ..Backoff::new(now) };
        let (one, first) = Backoff::reserve_lockout(Some(almost), now);
        let (_, second) = Backoff::reserve_lockout(Some(one), now);
        assert_eq!((first, second), (LockState::Unlocked, LockState::Locked));
    }
}
