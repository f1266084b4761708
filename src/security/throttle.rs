//! How often somebody may try: a ladder of delays per account, and a budget per address, both of bounded size.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;

mod budget;
mod unknown_names;

pub use budget::Budget;
pub use unknown_names::UnknownNames;

use crate::config;
use crate::error::Result;
use crate::shared::Shared;

/// Most subjects that a limit remembers in memory, in each of two halves.
const CAPACITY: usize = 50_000;

/// How many registrations an address may ask for, for each one that it may make: a person tries some passwords and names.
const ASKED_PER_REGISTRATION: i32 = 20;

/// Changes that a user may make at once to what is their own, and as many again in each minute.
pub const CHANGES: i32 = 60;

/// A lock lifts itself after a day (NIST SP 800-63B-4 section 3.2.2 leaves the way open; ASVS 6.1.1 forbids to let
/// strangers lock an owner out for good).
const LOCK: TimeDelta = TimeDelta::hours(24);

/// By how much the times of requests under way at once, or of two nodes, may differ.
const TOLERANCE: TimeDelta = TimeDelta::minutes(1);

/// Most attempts under way at once for a subject without a failure: as many as one address may fail at once.
pub const MAX_PENDING: i32 = 10;

/// Longest time that an attempt is under way; the attempts of a node that stopped count as failed after it.
const MAX_ATTEMPT: TimeDelta = TimeDelta::minutes(1);

/// Failures in a row of one subject, and until when it has to wait for the next try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ladder {
    /// Attempts that failed.
    pub failures: i32,
    /// Attempts under way, which have not failed yet.
    pub pending: i32,
    /// No try before this.
    pub blocked_until: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Ladder {
    /// A ladder without any attempt.
    pub fn empty(now: DateTime<Utc>) -> Self {
        Self { failures: 0, pending: 0, blocked_until: now, updated_at: now }
    }

    /// The ladder after one more attempt began at `now`. After a failure one attempt is under way at a time, and the
    /// others wait as if it had failed, so that parallel guesses gain nothing (ASVS 15.4.2).
    ///
    /// # Errors
    /// How long to wait, if it is too early.
    pub fn reserve(known: Option<Self>, now: DateTime<Utc>) -> Result<Self, TimeDelta> {
        let ladder = known.unwrap_or_else(|| Self::empty(now)).without_lost(now);
        let pending = ladder.pending.saturating_add(1);
        if ladder.failures == 0 {
            let next = Self { pending, blocked_until: now, updated_at: now, ..ladder };
            return if pending <= MAX_PENDING { Ok(next) } else { Err(delay(1)) };
        }
        let tries = ladder.failures.saturating_add(ladder.pending);
        // Set by a clock that was put back since: one try, or nobody could try until it gets there again (promise R13).
        let possible = now + delay(tries) + TOLERANCE;
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
            return before.unwrap_or_else(|| Self::empty(self.updated_at));
        }
        Self { pending: self.pending.saturating_sub(1).max(0), ..self }
    }

    /// Attempts that nobody has settled count as failed: their node stopped, or their client left.
    fn without_lost(self, now: DateTime<Utc>) -> Self {
        let age = now - self.updated_at;
        if self.pending == 0 || (-TOLERANCE..MAX_ATTEMPT).contains(&age) {
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
        25..=99 => TimeDelta::seconds(10),
        _ => LOCK,
    }
}

/// Whom a limit in memory counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Subject(u128);

impl Subject {
    /// An address; IPv6 by its first 64 bits, because one customer has them all.
    pub fn address(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(address.to_ipv6_mapped().to_bits()),
            IpAddr::V6(address) => Self(address.to_bits() >> 64 << 64),
        }
    }

    /// A user, by the number of the row.
    pub fn user(id: i64) -> Self {
        Self(u128::from(id.unsigned_abs()))
    }

    /// Anything else, by the digest of a text that names it.
    pub fn text(text: &str) -> Self {
        let digest = digest(&SHA256, text.as_bytes());
        Self(u128::from_be_bytes(digest.as_ref().first_chunk::<16>().copied().unwrap_or_default()))
    }

    /// A digest in digits: what was counted cannot be read from it.
    fn hash(self) -> String {
        let hash = digest(&SHA256, &self.0.to_be_bytes());
        hash.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The subjects that were seen last. When a half is full the older half goes, so that a flood of new ones costs no
/// more memory and no more time than any other (promise A9).
#[derive(Debug)]
struct Recent<V> {
    young: HashMap<Subject, V>,
    old: HashMap<Subject, V>,
}

impl<V> Default for Recent<V> {
    fn default() -> Self {
        Self { young: HashMap::new(), old: HashMap::new() }
    }
}

impl<V: Copy> Recent<V> {
    fn get(&self, subject: Subject) -> Option<V> {
        self.young.get(&subject).or_else(|| self.old.get(&subject)).copied()
    }

    fn insert(&mut self, subject: Subject, value: V) {
        if self.young.len() >= CAPACITY && !self.young.contains_key(&subject) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(subject, value);
    }
}

/// Every limit that does not live in the database.
pub struct Throttle {
    /// Failed logins per address.
    pub failures: Budget,
    /// Registrations per address.
    pub registrations: Budget,
    /// Registrations asked for per address, refused ones among them.
    pub asked_registrations: Budget,
    /// Questions whether a username is taken, per address.
    pub username_checks: Budget,
    /// Wrong secrets for introspection, per address.
    pub introspections: Budget,
    /// Audit records of replayed refresh tokens, per session and client.
    pub replay_records: Budget,
    /// Calls of an older service's login, per address.
    pub legacy_logins: Budget,
    /// Calls of an older service's registration, per address.
    pub legacy_registrations: Budget,
    /// Changes that users make to what is their own.
    pub changes: Budget,
    /// Subjects of names that belong to nobody.
    pub unknown_names: UnknownNames,
}

impl Throttle {
    /// The configured limits; the counters are those of all nodes that have `shared` in common.
    ///
    /// # Errors
    /// Internal ones only.
    pub fn new(settings: &config::Limits, shared: Option<&Arc<Shared>>, secret: &SecretString) -> Result<Self> {
        let every = |period: TimeDelta, count: i32| period / count.max(1);
        let budget = |name, burst, refill| Budget::new(name, burst, refill, shared.cloned());
        let asked_registrations = settings.registrations_per_hour.saturating_mul(ASKED_PER_REGISTRATION);
        Ok(Self {
            failures: budget(
                "failures",
                settings.failed_logins_burst,
                every(TimeDelta::minutes(1), settings.failed_logins_per_minute),
            ),
            registrations: budget(
                "registrations",
                settings.registrations_per_hour,
                every(TimeDelta::hours(1), settings.registrations_per_hour),
            ),
            username_checks: budget(
                "username_checks",
                settings.username_checks_per_minute,
                every(TimeDelta::minutes(1), settings.username_checks_per_minute),
            ),
            introspections: budget("introspections", 10, every(TimeDelta::minutes(1), 10)),
            // Of this node alone: it is asked within a transaction, which waits for no other server.
            replay_records: Budget::new("replay_records", 1, TimeDelta::minutes(1), None),
            legacy_logins: budget("legacy_logins", 20, every(TimeDelta::minutes(1), 20)),
            legacy_registrations: budget("legacy_registrations", 5, every(TimeDelta::minutes(1), 5)),
            asked_registrations: budget(
                "asked_registrations",
                asked_registrations,
                every(TimeDelta::hours(1), asked_registrations),
            ),
            changes: budget("changes", CHANGES, every(TimeDelta::minutes(1), CHANGES)),
            unknown_names: UnknownNames::new(secret)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    /// One attempt that failed.
    fn failed(ladder: Option<Ladder>, now: DateTime<Utc>) -> Result<Ladder, TimeDelta> {
        Ladder::reserve(ladder, now).map(|ladder| ladder.fail(now))
    }

    #[test]
    fn climbs_by_1_3_5_and_10_seconds_and_locks_after_100() {
        let (mut now, mut ladder) = (start(), None);
        let mut waits = Vec::new();
        for _ in 0..101 {
            let next = failed(ladder, now).unwrap();
            let wait = next.blocked_until - now;
            assert!(Ladder::reserve(Some(next), now + wait - TimeDelta::milliseconds(1)).is_err());
            waits.push(wait.num_seconds());
            (now, ladder) = (now + wait, Some(next));
        }
        assert_eq!(waits[..3], [1, 1, 3]);
        assert_eq!((waits[7], waits[8], waits[23], waits[24], waits[98]), (3, 5, 5, 10, 10));
        assert_eq!((waits[99], waits[100]), (86_400, 86_400));
    }

    #[test]
    fn is_not_frozen_by_a_clock_that_was_set_back() {
        let once = failed(None, start()).unwrap();
        let (back, second) = (start() - TimeDelta::days(365), TimeDelta::seconds(1));
        let twice = failed(Some(once), back).unwrap();
        assert_eq!((twice.failures, twice.blocked_until), (2, back + second), "one try, and the ladder goes on");
        assert_eq!(failed(Some(twice), back), Err(second));
        let locked = Ladder { failures: 100, pending: 0, blocked_until: start() + LOCK, updated_at: start() };
        let again = failed(Some(locked), back).unwrap();
        assert_eq!(failed(Some(again), back + LOCK - second), Err(second), "nobody is freed");
        // The time of another request, or of another node, is no leap.
        assert!(failed(Some(once), start() - TOLERANCE).is_err());
        let pending = (0..MAX_PENDING).fold(None, |ladder, _| Some(Ladder::reserve(ladder, start()).unwrap()));
        assert!(Ladder::reserve(pending, back).is_ok(), "attempts under way end, whatever the clock says");
    }

    /// A6
    #[test]
    fn attempts_under_way_are_no_failures_and_are_bounded() {
        let (now, second) = (start(), TimeDelta::seconds(1));
        let mut ladder = Ladder::reserve(None, now).unwrap();
        for _ in 1..MAX_PENDING {
            ladder = Ladder::reserve(Some(ladder), now).unwrap();
        }
        assert_eq!(Ladder::reserve(Some(ladder), now), Err(second));
        let one = ladder.fail(now);
        assert_eq!((one.failures, one.pending), (1, MAX_PENDING - 1));
        assert_eq!(Ladder::reserve(Some(one), now), Err(second), "the first failure makes all others wait");
        let all = (0..MAX_PENDING).fold(ladder, |ladder, _| ladder.fail(now));
        assert_eq!((all.failures, all.pending, all.blocked_until), (MAX_PENDING, 0, now + delay(MAX_PENDING)));
        let lost = Ladder::reserve(Some(ladder), now + MAX_ATTEMPT).unwrap();
        assert_eq!((lost.failures, lost.pending), (MAX_PENDING, 1), "what nobody settles has failed");
    }

    #[test]
    fn an_attempt_that_verified_nothing_is_given_back() {
        let (now, later) = (start(), start() + TimeDelta::seconds(1));
        let first = Ladder::reserve(None, now).unwrap();
        assert_eq!(first.release(None, first), Ladder::empty(now));
        let known = first.fail(now);
        let second = Ladder::reserve(Some(known), later).unwrap();
        assert_eq!(second.release(Some(known), second), known);
        let failed = Ladder::reserve(Some(first), now).unwrap().fail(later);
        let released = failed.release(None, first);
        assert_eq!((released.failures, released.pending), (1, 0), "the failure of another one stays");
    }

    /// A3
    #[test]
    fn counts_ipv6_by_64_bits_and_mapped_ipv4_as_ipv4() {
        let subject = |text: &str| Subject::address(text.parse().unwrap());
        assert_eq!(subject("2001:db8::1"), subject("2001:db8::ffff:ffff:ffff:ffff"));
        assert_ne!(subject("2001:db8::1"), subject("2001:db8:0:1::1"));
        assert_eq!(subject("::ffff:192.0.2.1"), subject("192.0.2.1"));
        assert_ne!(subject("192.0.2.1"), subject("192.0.2.2"));
    }

    /// A9
    #[test]
    fn remembers_a_bounded_number_of_subjects() {
        let mut recent = Recent::default();
        for number in 0..3 * CAPACITY {
            recent.insert(Subject(number as u128), ());
        }
        assert!(recent.young.len() + recent.old.len() <= 2 * CAPACITY);
        assert!(recent.get(Subject(3 * CAPACITY as u128 - 1)).is_some());
    }
}
