//! A budget of tries per address, of this node or of all nodes together.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use redis::{Cmd, cmd};

use super::rate_limits::{BoundedMap, MAX_CLOCK_SKEW, RateLimitKey};
use crate::redis::SharedRedis;

/// Takes one try: what [`Budget::reserve_here`] does, in the Redis that the nodes share. The wait, or 0.
const TAKE_SCRIPT: &str = "
    local now, refill, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[2]) * tonumber(ARGV[3])
    local full_at = tonumber(redis.call('GET', KEYS[1]) or now)
    if full_at > now + most + tonumber(ARGV[4]) then full_at = now + most - refill end
    full_at = math.max(full_at, now) + refill
    if full_at > now + most then return full_at - now - most end
    redis.call('SET', KEYS[1], full_at, 'PX', full_at - now)
    return 0";

/// Gives one try back.
const REFUND_SCRIPT: &str = "
    local full_at = tonumber(redis.call('GET', KEYS[1]) or '')
    if full_at then redis.call('SET', KEYS[1], full_at - tonumber(ARGV[1]), 'KEEPTTL') end
    return 0";

/// A budget that refills steadily (generic cell rate algorithm). Unlike the well-known crates it takes a try back that
/// turned out to be none, so that an office behind one address is not held to ten logins a minute.
pub struct TokenBucket {
    name: &'static str,
    burst: i32,
    refill_interval: TimeDelta,
    /// When the budget of each subject will be full again, as far as this node knows.
    full_at: Mutex<BoundedMap<DateTime<Utc>>>,
    redis: Option<Arc<SharedRedis>>,
}

impl TokenBucket {
    /// `burst` tries at once, and one more every `refill`; of all nodes together if they have `shared`.
    pub fn new(name: &'static str, burst: i32, refill: TimeDelta, shared: Option<Arc<SharedRedis>>) -> Self {
        Self { name, burst, refill_interval: refill, full_at: Mutex::new(BoundedMap::default()), redis: shared }
    }

    /// Takes one try for `subject`. Without an answer of Redis this node's own count decides.
    ///
    /// # Errors
    /// How long to wait, if nothing is left.
    pub async fn take(&self, subject: RateLimitKey, now: DateTime<Utc>) -> Result<(), TimeDelta> {
        self.take_locally(subject, now)?;
        let Some(shared) = &self.redis else { return Ok(()) };
        let mut command = self.command(TAKE_SCRIPT, subject);
        command.arg(now.timestamp_millis()).arg(self.refill_interval.num_milliseconds()).arg(self.burst);
        command.arg(MAX_CLOCK_SKEW.num_milliseconds());
        match shared.query::<i64>(&command).await {
            Some(wait) if wait > 0 => {
                self.refund_locally(subject);
                Err(TimeDelta::milliseconds(wait))
            }
            _ => Ok(()),
        }
    }

    /// Gives one try back.
    pub async fn refund(&self, subject: RateLimitKey) {
        self.refund_locally(subject);
        if let Some(shared) = &self.redis {
            let mut command = self.command(REFUND_SCRIPT, subject);
            command.arg(self.refill_interval.num_milliseconds());
            // Without an answer it comes back by itself, with time.
            shared.query::<i64>(&command).await;
        }
    }

    fn take_locally(&self, subject: RateLimitKey, now: DateTime<Utc>) -> Result<(), TimeDelta> {
        let most = self.refill_interval * self.burst;
        let mut recent = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = match recent.get(subject) {
            // By a clock that was put back since: one try, and it begins to refill now, or it would not before that time
            // comes again.
            Some(full_at) if full_at > now + most + MAX_CLOCK_SKEW => now + most - self.refill_interval,
            known => known.map_or(now, |full_at| full_at.max(now)),
        };
        let wait = full_at + self.refill_interval - (now + most);
        if wait > TimeDelta::zero() {
            return Err(wait);
        }
        recent.insert(subject, full_at + self.refill_interval);
        Ok(())
    }

    fn refund_locally(&self, subject: RateLimitKey) {
        let mut recent = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(full_at) = recent.get(subject) {
            recent.insert(subject, full_at - self.refill_interval);
        }
    }

    /// A script on the counter of `subject`. Its key is made of digits and of words of ours only.
    fn command(&self, script: &str, subject: RateLimitKey) -> Cmd {
        let mut command = cmd("EVAL");
        command.arg(script).arg(1).arg(format!("acct:1:{}:{}", self.name, subject.hex_digest()));
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn test_time() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn bucket(burst: i32) -> TokenBucket {
        TokenBucket::new("test", burst, TimeDelta::seconds(6), None)
    }

    #[test]
    fn is_not_frozen_by_a_clock_that_was_set_back() {
        let (budget, subject) = (bucket(2), RateLimitKey::user(1));
        for _ in 0..2 {
            budget.take_locally(subject, test_time()).unwrap();
        }
        let (back, later) = (test_time() - TimeDelta::days(365), TimeDelta::seconds(6));
        assert_eq!(budget.take_locally(subject, back), Ok(()), "one try");
        assert_eq!(budget.take_locally(subject, back), Err(later), "and no more");
        assert_eq!(budget.take_locally(subject, back + later), Ok(()), "it refills");
        assert!(budget.take_locally(subject, back + later).is_err(), "one by one");
    }

    #[test]
    fn refills_one_by_one_and_takes_tries_back() {
        let budget = bucket(10);
        let subject = RateLimitKey::address([127, 0, 0, 1].into());
        for _ in 0..10 {
            budget.take_locally(subject, test_time()).unwrap();
        }
        assert_eq!(budget.take_locally(subject, test_time()), Err(TimeDelta::seconds(6)));
        assert_eq!(budget.take_locally(subject, test_time() + TimeDelta::seconds(6)), Ok(()));
        assert!(budget.take_locally(subject, test_time() + TimeDelta::seconds(6)).is_err());
        budget.refund_locally(subject);
        assert_eq!(budget.take_locally(subject, test_time() + TimeDelta::seconds(6)), Ok(()));
        assert_eq!(
            budget.take_locally(RateLimitKey::address([127, 0, 0, 2].into()), test_time()),
            Ok(()),
            "others have their own"
        );
    }

    proptest! {
        #[test]
        fn never_gives_more_than_the_burst_and_what_was_refilled(steps in prop::collection::vec(0_i64..20, 1..200)) {
            let budget = bucket(10);
            let (mut now, mut given) = (test_time(), 0);
            for step in steps {
                now += TimeDelta::seconds(step);
                given += i64::from(budget.take_locally(RateLimitKey::user(1), now).is_ok());
            }
            prop_assert!(given <= 10 + (now - test_time()).num_seconds() / 6);
        }
    }
}
