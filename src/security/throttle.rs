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

/// Failures in a row of one subject, and until when it has to wait for the next try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ladder {
    /// Tries that did not succeed, the one under way among them.
    pub failures: i32,
    /// No try before this.
    pub blocked_until: DateTime<Utc>,
}

impl Ladder {
    /// The ladder after one more try at `now`, which counts as failed until it succeeds.
    ///
    /// # Errors
    /// How long to wait, if it is too early.
    pub fn reserve(known: Option<Self>, now: DateTime<Utc>) -> Result<Self, TimeDelta> {
        let failures = known.map_or(0, |ladder| ladder.failures);
        // Set by a clock that was put back since: one try, or nobody could try until it gets there again (promise R13).
        let possible = now + delay(failures) + TOLERANCE;
        let blocked_until = known.map(|ladder| ladder.blocked_until).filter(|until| *until <= possible).unwrap_or(now);
        if now < blocked_until {
            return Err(blocked_until - now);
        }
        let failures = failures.saturating_add(1);
        Ok(Self { failures, blocked_until: now + delay(failures) })
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

    #[test]
    fn climbs_by_1_3_5_and_10_seconds_and_locks_after_100() {
        let (mut now, mut ladder) = (start(), None);
        let mut waits = Vec::new();
        for _ in 0..101 {
            let next = Ladder::reserve(ladder, now).unwrap();
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
        let once = Ladder::reserve(None, start()).unwrap();
        let (back, second) = (start() - TimeDelta::days(365), TimeDelta::seconds(1));
        let twice = Ladder::reserve(Some(once), back).unwrap();
        assert_eq!((twice.failures, twice.blocked_until), (2, back + second), "one try, and the ladder goes on");
        assert_eq!(Ladder::reserve(Some(twice), back), Err(second));
        let locked = Ladder { failures: 100, blocked_until: start() + LOCK };
        let again = Ladder::reserve(Some(locked), back).unwrap();
        assert_eq!(Ladder::reserve(Some(again), back + LOCK - second), Err(second), "nobody is freed");
        // The time of another request, or of another node, is no leap.
        assert!(Ladder::reserve(Some(once), start() - TOLERANCE).is_err());
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
