//! Delays, locks and released attempts.

use super::*;

fn test_time() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

/// One failed attempt.
fn failed(counter: Option<Backoff>, now: DateTime<Utc>) -> Result<Backoff, TimeDelta> {
    Backoff::reserve(counter, now).map(|counter| counter.fail(now))
}

#[test]
fn delay_grows_from_1_to_10_seconds_and_locks_after_100_failures() {
    let (mut now, mut counter) = (test_time(), None);
    let mut waits = Vec::new();
    for _ in 0..101 {
        let next = failed(counter, now).unwrap();
        let wait = next.blocked_until - now;
        assert!(Backoff::reserve(Some(next), now + wait - TimeDelta::milliseconds(1)).is_err());
        waits.push(wait.num_seconds());
        (now, counter) = (now + wait, Some(next));
    }
    assert_eq!(waits[..3], [1, 1, 3]);
    assert_eq!((waits[7], waits[8], waits[23], waits[24], waits[98]), (3, 5, 5, 10, 10));
    assert_eq!((waits[99], waits[100]), (86_400, 10), "one failure does not renew an expired lock");
}

#[test]
fn backoff_survives_a_clock_set_back() {
    let once = failed(None, test_time()).unwrap();
    let (back, second) = (test_time() - TimeDelta::days(365), TimeDelta::seconds(1));
    let twice = failed(Some(once), back).unwrap();
    assert_eq!((twice.failures, twice.blocked_until), (2, back + second), "one attempt, and the backoff continues");
    assert_eq!(failed(Some(twice), back), Err(second));
    let locked =
        Backoff { failures: 100, pending: 0, blocked_until: test_time() + LOCK_DURATION, updated_at: test_time() };
    let again = failed(Some(locked), back).unwrap();
    assert_eq!(failed(Some(again), back + LOCK_DURATION - second), Err(second), "the lock stays");
    // The clock difference of another request or node is tolerated.
    assert!(failed(Some(once), test_time() - MAX_CLOCK_SKEW).is_err());
    let pending = (0..MAX_PENDING).fold(None, |counter, _| Some(Backoff::reserve(counter, test_time()).unwrap()));
    assert!(Backoff::reserve(pending, back).is_ok(), "pending attempts time out, whatever the clock");
}

/// A6
#[test]
fn pending_attempts_are_bounded_and_no_failures() {
    let (now, second) = (test_time(), TimeDelta::seconds(1));
    let mut counter = Backoff::reserve(None, now).unwrap();
    for _ in 1..MAX_PENDING {
        counter = Backoff::reserve(Some(counter), now).unwrap();
    }
    assert_eq!(Backoff::reserve(Some(counter), now), Err(second));
    let one = counter.fail(now);
    assert_eq!((one.failures, one.pending), (1, MAX_PENDING - 1));
    assert_eq!(Backoff::reserve(Some(one), now), Err(second), "the first failure makes all others wait");
    let all = (0..MAX_PENDING).fold(counter, |counter, _| counter.fail(now));
    assert_eq!((all.failures, all.pending, all.blocked_until), (MAX_PENDING, 0, now + delay(MAX_PENDING)));
    let lost = Backoff::reserve(Some(counter), now + PENDING_TIMEOUT).unwrap();
    assert_eq!((lost.failures, lost.pending), (MAX_PENDING, 1), "a pending attempt that timed out has failed");
}

#[test]
fn released_attempt_restores_the_counter() {
    let (now, later) = (test_time(), test_time() + TimeDelta::seconds(1));
    let first = Backoff::reserve(None, now).unwrap();
    assert_eq!(first.release(None, first), Backoff::new(now));
    let counter = first.fail(now);
    let second = Backoff::reserve(Some(counter), later).unwrap();
    assert_eq!(second.release(Some(counter), second), counter);
    let failed = Backoff::reserve(Some(first), now).unwrap().fail(later);
    let released = failed.release(None, first);
    assert_eq!((released.failures, released.pending), (1, 0), "another attempt's failure stays");
}

#[test]
fn account_is_locked_after_a_hundred_failures_under_any_names() {
    let (now, day) = (test_time(), TimeDelta::hours(24));
    let mut counter = None;
    for tried in 0..MAX_FAILURES {
        let (next, lock_state) = Backoff::reserve_lockout(counter, now);
        assert_eq!(lock_state, LockState::Unlocked, "attempt {tried}");
        counter = Some(next.fail_lockout(lock_state, now));
    }
    let later = now + TimeDelta::hours(1);
    let (next, lock_state) = Backoff::reserve_lockout(counter, later);
    assert_eq!(lock_state, LockState::Locked);
    let after = next.fail_lockout(lock_state, later);
    assert_eq!((after.failures, after.pending, after.blocked_until), (MAX_FAILURES, 0, now + day), "not extended");
    let (next, lock_state) = Backoff::reserve_lockout(Some(after), now + day);
    assert_eq!((next.failures, lock_state), (FAILURES_AFTER_LOCK, LockState::Unlocked));

    // Pending attempts count, too.
    let almost = Backoff { failures: MAX_FAILURES - 1, ..Backoff::new(now) };
    let (one, first) = Backoff::reserve_lockout(Some(almost), now);
    let (_, second) = Backoff::reserve_lockout(Some(one), now);
    assert_eq!((first, second), (LockState::Unlocked, LockState::Locked));
}
