//! Rate limits: the token buckets in memory or Redis, all of bounded size.

use std::sync::Arc;

use chrono::TimeDelta;

use super::token_bucket::TokenBucket;
use super::unknown_names::UnknownNames;
use crate::config;
use crate::redis::SharedRedis;

/// Registration attempts per address, for each registration allowed: people try several passwords and names.
const ATTEMPTS_PER_REGISTRATION: i32 = 20;

/// Lowest limit of registrations with a taken name, per address and hour.
const MIN_TAKEN_NAMES_PER_HOUR: i32 = 20;

/// Changes to a user's own data, in one session or with all API tokens together: burst, and refill per minute.
pub const CHANGES_PER_MINUTE: i32 = 60;

/// The same over all sessions of a user, so that a stolen session does not exhaust the others' buckets.
pub const CHANGES_ACROSS_SESSIONS_PER_MINUTE: i32 = 5 * CHANGES_PER_MINUTE;

/// Successful logins of one user: burst, and refill per minute.
pub const LOGINS_PER_MINUTE: i32 = 60;

/// Every rate limit that is not in the database.
pub struct RateLimits {
    /// Failed logins per address.
    pub failed_logins: TokenBucket,
    /// Registrations per address.
    pub registrations: TokenBucket,
    /// Registrations per address that were rejected because a name was taken.
    pub taken_names: TokenBucket,
    /// Registration attempts per address, rejected ones included.
    pub registration_attempts: TokenBucket,
    /// Checks whether a username is taken, per address.
    pub username_checks: TokenBucket,
    /// Wrong introspection secrets, per address.
    pub failed_introspections: TokenBucket,
    /// Audit records of replayed refresh tokens, per session and client.
    pub replay_records: TokenBucket,
    /// Calls of an older service's login, per address.
    pub legacy_logins: TokenBucket,
    /// Calls of an older service's registration, per address.
    pub legacy_registrations: TokenBucket,
    /// Changes of users to their own data, per session, and per user with API tokens.
    pub changes: TokenBucket,
    /// The same, per user over all sessions.
    pub changes_across_sessions: TokenBucket,
    /// Successful logins per user: each leaves permanent rows.
    pub successful_logins: TokenBucket,
    /// Counter keys of login names.
    pub unknown_names: UnknownNames,
}

impl RateLimits {
    /// Creates the configured limits; with `redis`, all nodes share the counters. `names_key` is the key of
    /// [`UnknownNames`].
    pub fn new(settings: &config::Limits, redis: Option<&Arc<SharedRedis>>, names_key: &[u8; 32]) -> Self {
        let interval = |period: TimeDelta, count: i32| period / count.max(1);
        let bucket = |name, burst, refill| TokenBucket::new(name, burst, refill, redis.cloned());
        let registration_attempts = settings.registrations_per_hour.saturating_mul(ATTEMPTS_PER_REGISTRATION);
        let taken_names = settings.registrations_per_hour.max(MIN_TAKEN_NAMES_PER_HOUR);
        Self {
            failed_logins: bucket(
                "failures",
                settings.failed_logins_burst,
                interval(TimeDelta::minutes(1), settings.failed_logins_per_minute),
            ),
            registrations: bucket(
                "registrations",
                settings.registrations_per_hour,
                interval(TimeDelta::hours(1), settings.registrations_per_hour),
            ),
            username_checks: bucket(
                "username_checks",
                settings.username_checks_per_minute,
                interval(TimeDelta::minutes(1), settings.username_checks_per_minute),
            ),
            failed_introspections: bucket("introspections", 10, interval(TimeDelta::minutes(1), 10)),
            // On this node only: it is called within a transaction, which must not wait for another server.
            replay_records: TokenBucket::new("replay_records", 1, TimeDelta::minutes(1), None),
            legacy_logins: bucket("legacy_logins", 20, interval(TimeDelta::minutes(1), 20)),
            legacy_registrations: bucket("legacy_registrations", 5, interval(TimeDelta::minutes(1), 5)),
            registration_attempts: bucket(
                "asked_registrations",
                registration_attempts,
                interval(TimeDelta::hours(1), registration_attempts),
            ),
            taken_names: bucket("taken_names", taken_names, interval(TimeDelta::hours(1), taken_names)),
            changes: bucket("changes", CHANGES_PER_MINUTE, interval(TimeDelta::minutes(1), CHANGES_PER_MINUTE)),
            changes_across_sessions: bucket(
                "changes_in_sessions",
                CHANGES_ACROSS_SESSIONS_PER_MINUTE,
                interval(TimeDelta::minutes(1), CHANGES_ACROSS_SESSIONS_PER_MINUTE),
            ),
            successful_logins: bucket("logins", LOGINS_PER_MINUTE, interval(TimeDelta::minutes(1), LOGINS_PER_MINUTE)),
            unknown_names: UnknownNames::new(names_key),
        }
    }
}
