//! A budget of tries per address, of this node or of all nodes together.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use redis::{Cmd, cmd};

use super::{Recent, Subject, TOLERANCE};
use crate::shared::Shared;

/// Takes one try: what [`Budget::reserve_here`] does, in the Redis that the nodes share. The wait, or 0.
const RESERVE: &str = "
    local now, refill, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[2]) * tonumber(ARGV[3])
    local full_at = tonumber(redis.call('GET', KEYS[1]) or now)
    if full_at > now + most + tonumber(ARGV[4]) then full_at = now + most - refill end
    full_at = math.max(full_at, now) + refill
    if full_at > now + most then return full_at - now - most end
    redis.call('SET', KEYS[1], full_at, 'PX', full_at - now)
    return 0";

/// Gives one try back.
const REFUND: &str = "
    local full_at = tonumber(redis.call('GET', KEYS[1]) or '')
    if full_at then redis.call('SET', KEYS[1], full_at - tonumber(ARGV[1]), 'KEEPTTL') end
    return 0";

/// A budget that refills steadily (generic cell rate algorithm). Unlike the well-known crates it takes a try back that
/// turned out to be none, so that an office behind one address is not held to ten logins a minute.
pub struct Budget {
    name: &'static str,
    burst: i32,
    refill: TimeDelta,
    /// When the budget of each subject will be full again, as far as this node knows.
    full_at: Mutex<Recent<DateTime<Utc>>>,
    shared: Option<Arc<Shared>>,
}

impl Budget {
    /// `burst` tries at once, and one more every `refill`; of all nodes together if they have `shared`.
    pub fn new(name: &'static str, burst: i32, refill: TimeDelta, shared: Option<Arc<Shared>>) -> Self {
        Self { name, burst, refill, full_at: Mutex::new(Recent::default()), shared }
    }

    /// Takes one try for `subject`. Without an answer of Redis this node's own count decides.
    ///
    /// # Errors
    /// How long to wait, if nothing is left.
    pub async fn reserve(&self, subject: Subject, now: DateTime<Utc>) -> Result<(), TimeDelta> {
        self.reserve_here(subject, now)?;
        let Some(shared) = &self.shared else { return Ok(()) };
        let mut command = self.command(RESERVE, subject);
        command.arg(now.timestamp_millis()).arg(self.refill.num_milliseconds()).arg(self.burst);
        command.arg(TOLERANCE.num_milliseconds());
        match shared.ask::<i64>(&command).await {
            Some(wait) if wait > 0 => {
                self.refund_here(subject);
                Err(TimeDelta::milliseconds(wait))
            }
            _ => Ok(()),
        }
    }

    /// Gives one try back.
    pub async fn refund(&self, subject: Subject) {
        self.refund_here(subject);
        if let Some(shared) = &self.shared {
            let mut command = self.command(REFUND, subject);
            command.arg(self.refill.num_milliseconds());
            // Without an answer it comes back by itself, with time.
            shared.ask::<i64>(&command).await;
        }
    }

    fn reserve_here(&self, subject: Subject, now: DateTime<Utc>) -> Result<(), TimeDelta> {
        let most = self.refill * self.burst;
        let mut recent = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = match recent.get(subject) {
            // By a clock that was put back since: one try, and it begins to refill now, or it would not before that time
            // comes again.
            Some(full_at) if full_at > now + most + TOLERANCE => now + most - self.refill,
            known => known.map_or(now, |full_at| full_at.max(now)),
        };
        let wait = full_at + self.refill - (now + most);
        if wait > TimeDelta::zero() {
            return Err(wait);
        }
        recent.insert(subject, full_at + self.refill);
        Ok(())
    }

    fn refund_here(&self, subject: Subject) {
        let mut recent = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(full_at) = recent.get(subject) {
            recent.insert(subject, full_at - self.refill);
        }
    }

    /// A script on the counter of `subject`. Its key is made of digits and of words of ours only.
    fn command(&self, script: &str, subject: Subject) -> Cmd {
        let mut command = cmd("EVAL");
        command.arg(script).arg(1).arg(format!("acct:1:{}:{}", self.name, subject.hash()));
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn start() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn budget(burst: i32) -> Budget {
        Budget::new("test", burst, TimeDelta::seconds(6), None)
    }

    #[test]
    fn is_not_frozen_by_a_clock_that_was_set_back() {
        let (budget, subject) = (budget(2), Subject::user(1));
        for _ in 0..2 {
            budget.reserve_here(subject, start()).unwrap();
        }
        let (back, later) = (start() - TimeDelta::days(365), TimeDelta::seconds(6));
        assert_eq!(budget.reserve_here(subject, back), Ok(()), "one try");
        assert_eq!(budget.reserve_here(subject, back), Err(later), "and no more");
        assert_eq!(budget.reserve_here(subject, back + later), Ok(()), "it refills");
        assert!(budget.reserve_here(subject, back + later).is_err(), "one by one");
    }

    #[test]
    fn refills_one_by_one_and_takes_tries_back() {
        let budget = budget(10);
        let subject = Subject::address([127, 0, 0, 1].into());
        for _ in 0..10 {
            budget.reserve_here(subject, start()).unwrap();
        }
        assert_eq!(budget.reserve_here(subject, start()), Err(TimeDelta::seconds(6)));
        assert_eq!(budget.reserve_here(subject, start() + TimeDelta::seconds(6)), Ok(()));
        assert!(budget.reserve_here(subject, start() + TimeDelta::seconds(6)).is_err());
        budget.refund_here(subject);
        assert_eq!(budget.reserve_here(subject, start() + TimeDelta::seconds(6)), Ok(()));
        assert_eq!(
            budget.reserve_here(Subject::address([127, 0, 0, 2].into()), start()),
            Ok(()),
            "others have their own"
        );
    }

    proptest! {
        #[test]
        fn never_gives_more_than_the_burst_and_what_was_refilled(steps in prop::collection::vec(0_i64..20, 1..200)) {
            let budget = budget(10);
            let (mut now, mut given) = (start(), 0);
            for step in steps {
                now += TimeDelta::seconds(step);
                given += i64::from(budget.reserve_here(Subject::user(1), now).is_ok());
            }
            prop_assert!(given <= 10 + (now - start()).num_seconds() / 6);
        }
    }
}
