//! Token bucket per key, on this node or shared by all nodes.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;
use redis::{Cmd, cmd};

use super::MAX_CLOCK_SKEW;
use super::bounded_map::BoundedMap;
use super::key::RateLimitKey;
use crate::redis::SharedRedis;

/// Takes one token as [`TokenBucket::take_locally`] does, in the shared Redis. Returns the wait in milliseconds, or 0.
const TAKE_SCRIPT: &str = "
    local now, refill, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[2]) * tonumber(ARGV[3])
    local full_at = tonumber(redis.call('GET', KEYS[1]) or now)
    if full_at > now + most + tonumber(ARGV[4]) then full_at = now + most - refill end
    full_at = math.max(full_at, now) + refill
    if full_at > now + most then return full_at - now - most end
    redis.call('SET', KEYS[1], full_at, 'PX', full_at - now)
    return 0";

/// Refunds one token.
const REFUND_SCRIPT: &str = "
    local full_at = tonumber(redis.call('GET', KEYS[1]) or '')
    if full_at then redis.call('SET', KEYS[1], full_at - tonumber(ARGV[1]), 'KEEPTTL') end
    return 0";

/// A bucket that refills steadily (generic cell rate algorithm). Unlike the well-known crates it refunds tokens, so
/// that successful logins behind one office address do not use up ten a minute.
pub struct TokenBucket {
    name: &'static str,
    burst: i32,
    refill_interval: TimeDelta,
    /// When the bucket of each key will be full again, as far as this node knows.
    full_at: Mutex<BoundedMap<DateTime<Utc>>>,
    redis: Option<Arc<SharedRedis>>,
}

impl TokenBucket {
    /// Creates a bucket of `burst` tokens that gains one every `refill_interval`; with `redis`, all nodes share it.
    pub fn new(name: &'static str, burst: i32, refill_interval: TimeDelta, redis: Option<Arc<SharedRedis>>) -> Self {
        Self { name, burst, refill_interval, full_at: Mutex::new(BoundedMap::default()), redis }
    }

    /// Takes one token of `key`. Without a response of Redis this node's own count decides.
    ///
    /// # Errors
    /// How long to wait, if the bucket is empty.
    pub async fn take(&self, key: RateLimitKey, now: DateTime<Utc>) -> Result<(), TimeDelta> {
        self.take_locally(key, now)?;
        let Some(redis) = &self.redis else { return Ok(()) };
        let mut command = self.command(TAKE_SCRIPT, key);
        command.arg(now.timestamp_millis()).arg(self.refill_interval.num_milliseconds()).arg(self.burst);
        command.arg(MAX_CLOCK_SKEW.num_milliseconds());
        match redis.query::<i64>(&command).await {
            Some(wait) if wait > 0 => {
                self.refund_locally(key);
                Err(TimeDelta::milliseconds(wait))
            }
            _ => Ok(()),
        }
    }

    /// Refunds one token.
    pub async fn refund(&self, key: RateLimitKey) {
        self.refund_locally(key);
        if let Some(redis) = &self.redis {
            let mut command = self.command(REFUND_SCRIPT, key);
            command.arg(self.refill_interval.num_milliseconds());
            // Without a response the token is refilled with time.
            redis.query::<i64>(&command).await;
        }
    }

    fn take_locally(&self, key: RateLimitKey, now: DateTime<Utc>) -> Result<(), TimeDelta> {
        let capacity = self.refill_interval * self.burst;
        let mut buckets = self.full_at.lock();
        let full_at = match buckets.get(key) {
            // Set before the clock was set back: allow one and refill from now on, or it would not refill before that
            // time comes again.
            Some(full_at) if full_at > now + capacity + MAX_CLOCK_SKEW => now + capacity - self.refill_interval,
            full_at => full_at.map_or(now, |full_at| full_at.max(now)),
        };
        let wait = full_at + self.refill_interval - (now + capacity);
        if wait > TimeDelta::zero() {
            return Err(wait);
        }
        buckets.insert(key, full_at + self.refill_interval);
        Ok(())
    }

    fn refund_locally(&self, key: RateLimitKey) {
        let mut buckets = self.full_at.lock();
        if let Some(full_at) = buckets.get(key) {
            buckets.insert(key, full_at - self.refill_interval);
        }
    }

    /// A script on the counter of `key`. The Redis key consists of digits and constants only.
    fn command(&self, script: &str, key: RateLimitKey) -> Cmd {
        let mut command = cmd("EVAL");
        command.arg(script).arg(1).arg(format!("acct:1:{}:{}", self.name, key.hex_digest()));
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
    fn bucket_survives_a_clock_set_back() {
        let (bucket, key) = (bucket(2), RateLimitKey::user(1));
        for _ in 0..2 {
            bucket.take_locally(key, test_time()).unwrap();
        }
        let (back, later) = (test_time() - TimeDelta::days(365), TimeDelta::seconds(6));
        assert_eq!(bucket.take_locally(key, back), Ok(()), "one attempt");
        assert_eq!(bucket.take_locally(key, back), Err(later), "and no more");
        assert_eq!(bucket.take_locally(key, back + later), Ok(()), "it refills");
        assert!(bucket.take_locally(key, back + later).is_err(), "one by one");
    }

    #[test]
    fn bucket_refills_one_by_one_and_accepts_refunds() {
        let bucket = bucket(10);
        let key = RateLimitKey::address([127, 0, 0, 1].into());
        for _ in 0..10 {
            bucket.take_locally(key, test_time()).unwrap();
        }
        assert_eq!(bucket.take_locally(key, test_time()), Err(TimeDelta::seconds(6)));
        assert_eq!(bucket.take_locally(key, test_time() + TimeDelta::seconds(6)), Ok(()));
        assert!(bucket.take_locally(key, test_time() + TimeDelta::seconds(6)).is_err());
        bucket.refund_locally(key);
        assert_eq!(bucket.take_locally(key, test_time() + TimeDelta::seconds(6)), Ok(()));
        assert_eq!(
            bucket.take_locally(RateLimitKey::address([127, 0, 0, 2].into()), test_time()),
            Ok(()),
            "each key has its own bucket"
        );
    }

    proptest! {
        #[test]
        fn bucket_never_gives_more_than_burst_and_refill(steps in prop::collection::vec(0_i64..20, 1..200)) {
            let bucket = bucket(10);
            let (mut now, mut given) = (test_time(), 0);
            for step in steps {
                now += TimeDelta::seconds(step);
                given += i64::from(bucket.take_locally(RateLimitKey::user(1), now).is_ok());
            }
            prop_assert!(given <= 10 + (now - test_time()).num_seconds() / 6);
        }
    }
}
