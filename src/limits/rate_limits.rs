//! How often somebody may try: a ladder of delays per account, and a budget per address, both of bounded size.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use chrono::TimeDelta;
use secrecy::SecretString;

use super::token_bucket::TokenBucket;
use super::unknown_names::UnknownNames;
use crate::config;
use crate::error::Result;
use crate::redis::SharedRedis;

/// Most subjects that a limit remembers in memory, in each of two halves.
const HALF_CAPACITY: usize = 50_000;

/// How many registrations an address may ask for, for each one that it may make: a person tries some passwords and names.
const ATTEMPTS_PER_REGISTRATION: i32 = 20;

/// Registrations with a taken name that an address may try in an hour, at least.
const MIN_TAKEN_NAMES_PER_HOUR: i32 = 20;

/// Changes that a user may make at once in one session, or with all API tokens together, to what is their own, and as
/// many again in each minute.
pub const CHANGES_PER_MINUTE: i32 = 60;

/// The same for all sessions of a user together. A stolen session does not exhaust the budgets of the others.
pub const CHANGES_ACROSS_SESSIONS_PER_MINUTE: i32 = 5 * CHANGES_PER_MINUTE;

/// Logins of one user that may succeed at once, and as many again in each minute.
pub const LOGINS_PER_MINUTE: i32 = 60;

/// By how much the times of requests under way at once, or of two nodes, may differ.
pub(crate) const MAX_CLOCK_SKEW: TimeDelta = TimeDelta::minutes(1);

/// Whom a limit in memory counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RateLimitKey(u128);

impl RateLimitKey {
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
    pub(crate) fn hex_digest(self) -> String {
        let hash = digest(&SHA256, &self.0.to_be_bytes());
        hash.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The subjects that were seen last. When a half is full the older half goes, so that a flood of new ones costs no
/// more memory and no more time than any other (promise A9).
#[derive(Debug)]
pub(crate) struct BoundedMap<V> {
    young: HashMap<RateLimitKey, V>,
    old: HashMap<RateLimitKey, V>,
}

impl<V> Default for BoundedMap<V> {
    fn default() -> Self {
        Self { young: HashMap::new(), old: HashMap::new() }
    }
}

impl<V: Copy> BoundedMap<V> {
    pub(crate) fn get(&self, subject: RateLimitKey) -> Option<V> {
        self.young.get(&subject).or_else(|| self.old.get(&subject)).copied()
    }

    pub(crate) fn insert(&mut self, subject: RateLimitKey, value: V) {
        if self.young.len() >= HALF_CAPACITY && !self.young.contains_key(&subject) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(subject, value);
    }
}

/// Every limit that does not live in the database.
pub struct RateLimits {
    /// Failed logins per address.
    pub failed_logins: TokenBucket,
    /// Registrations per address.
    pub registrations: TokenBucket,
    /// Registrations per address that were refused because a name was taken.
    pub taken_names: TokenBucket,
    /// Registrations asked for per address, refused ones among them.
    pub registration_attempts: TokenBucket,
    /// Questions whether a username is taken, per address.
    pub username_checks: TokenBucket,
    /// Wrong secrets for introspection, per address.
    pub failed_introspections: TokenBucket,
    /// Audit records of replayed refresh tokens, per session and client.
    pub replay_records: TokenBucket,
    /// Calls of an older service's login, per address.
    pub legacy_logins: TokenBucket,
    /// Calls of an older service's registration, per address.
    pub legacy_registrations: TokenBucket,
    /// Changes that users make to what is their own, per session, and per user with API tokens.
    pub changes: TokenBucket,
    /// The same, per user in all sessions.
    pub changes_across_sessions: TokenBucket,
    /// Logins that succeed, per user: each leaves rows that stay.
    pub successful_logins: TokenBucket,
    /// Subjects of the names that logins are tried with.
    pub unknown_names: UnknownNames,
}

impl RateLimits {
    /// The configured limits; the counters are those of all nodes that have `shared` in common.
    ///
    /// # Errors
    /// Internal ones only.
    pub fn new(settings: &config::Limits, shared: Option<&Arc<SharedRedis>>, secret: &SecretString) -> Result<Self> {
        let every = |period: TimeDelta, count: i32| period / count.max(1);
        let budget = |name, burst, refill| TokenBucket::new(name, burst, refill, shared.cloned());
        let asked_registrations = settings.registrations_per_hour.saturating_mul(ATTEMPTS_PER_REGISTRATION);
        let taken_names = settings.registrations_per_hour.max(MIN_TAKEN_NAMES_PER_HOUR);
        Ok(Self {
            failed_logins: budget(
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
            failed_introspections: budget("introspections", 10, every(TimeDelta::minutes(1), 10)),
            // Of this node alone: it is asked within a transaction, which waits for no other server.
            replay_records: TokenBucket::new("replay_records", 1, TimeDelta::minutes(1), None),
            legacy_logins: budget("legacy_logins", 20, every(TimeDelta::minutes(1), 20)),
            legacy_registrations: budget("legacy_registrations", 5, every(TimeDelta::minutes(1), 5)),
            registration_attempts: budget(
                "asked_registrations",
                asked_registrations,
                every(TimeDelta::hours(1), asked_registrations),
            ),
            taken_names: budget("taken_names", taken_names, every(TimeDelta::hours(1), taken_names)),
            changes: budget("changes", CHANGES_PER_MINUTE, every(TimeDelta::minutes(1), CHANGES_PER_MINUTE)),
            changes_across_sessions: budget(
                "changes_in_sessions",
                CHANGES_ACROSS_SESSIONS_PER_MINUTE,
                every(TimeDelta::minutes(1), CHANGES_ACROSS_SESSIONS_PER_MINUTE),
            ),
            successful_logins: budget("logins", LOGINS_PER_MINUTE, every(TimeDelta::minutes(1), LOGINS_PER_MINUTE)),
            unknown_names: UnknownNames::new(secret)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A3
    #[test]
    fn counts_ipv6_by_64_bits_and_mapped_ipv4_as_ipv4() {
        let subject = |text: &str| RateLimitKey::address(text.parse().unwrap());
        assert_eq!(subject("2001:db8::1"), subject("2001:db8::ffff:ffff:ffff:ffff"));
        assert_ne!(subject("2001:db8::1"), subject("2001:db8:0:1::1"));
        assert_eq!(subject("::ffff:192.0.2.1"), subject("192.0.2.1"));
        assert_ne!(subject("192.0.2.1"), subject("192.0.2.2"));
    }

    /// A9
    #[test]
    fn remembers_a_bounded_number_of_subjects() {
        let mut recent = BoundedMap::default();
        for number in 0..3 * HALF_CAPACITY {
            recent.insert(RateLimitKey(number as u128), ());
        }
        assert!(recent.young.len() + recent.old.len() <= 2 * HALF_CAPACITY);
        assert!(recent.get(RateLimitKey(3 * HALF_CAPACITY as u128 - 1)).is_some());
    }
}
