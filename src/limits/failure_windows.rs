//! Aggregation of failed attempts for the audit log: the first ones get a row each, further ones one row per time
//! window. Failures are unlimited; the audit log must not grow with each of them.

use std::collections::HashMap;
use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;
use uuid::Uuid;

use super::key::RateLimitKey;

/// Length of a window, after which its failures become one row.
pub const WINDOW: TimeDelta = TimeDelta::minutes(15);

/// Names per address and window whose first failure is recorded immediately.
pub const MAX_IMMEDIATE: usize = 20;

/// Most open windows; beyond, the oldest is closed early.
const MAX_WINDOWS: usize = 10_000;

/// Users whose failures one window counts separately; failures of further users are counted without a target.
const MAX_TARGETS: usize = 1_000;

/// One failed attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedAttempt {
    /// The audit action.
    pub action: &'static str,
    /// The tenant of the target user.
    pub tenant: Option<i64>,
    /// The user who made the attempt, if known.
    pub actor: Option<Uuid>,
    /// The user whom the attempt was about, if there is one.
    pub target: Option<Uuid>,
    /// The session of the attempt.
    pub session: Option<Uuid>,
    /// The client address.
    pub address: Option<IpAddr>,
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
    /// The request id.
    pub request_id: String,
}

/// Failed attempts of one action, target, address and window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureSummary {
    /// The last attempt.
    pub last: FailedAttempt,
    /// Number of attempts, without those that were recorded immediately.
    pub count: u64,
    /// Time of the first attempt.
    pub first_at: DateTime<Utc>,
    /// Time of the last attempt.
    pub last_at: DateTime<Utc>,
}

/// How a failed attempt is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recording {
    /// It gets an audit row of its own.
    Immediate,
    /// It is counted, and recorded with others when the window ends.
    Aggregated,
}

/// The open windows, in memory: a process that is killed loses the failures of its open windows.
#[derive(Debug, Default)]
pub struct FailureWindows(Mutex<HashMap<Key, Window>>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    action: &'static str,
    address: Option<RateLimitKey>,
}

#[derive(Debug)]
struct Window {
    started_at: DateTime<Utc>,
    /// Names whose first failure was recorded immediately, known or unknown: whether a row is written must not reveal
    /// which accounts exist.
    names: Vec<String>,
    targets: HashMap<Option<Uuid>, FailureSummary>,
}

impl FailureWindows {
    /// Counts a failed attempt under the digest of a name. Returns how to record it, and the summaries of windows that
    /// it closed.
    pub fn count(&self, failure: FailedAttempt, name: String, now: DateTime<Utc>) -> (Recording, Vec<FailureSummary>) {
        let mut windows = self.0.lock();
        let key = Key { action: failure.action, address: failure.address.map(RateLimitKey::address) };
        let mut closed = Vec::new();
        if let Some(ended) = windows.get(&key).filter(|window| window.has_ended(now)).map(|_| key.clone()) {
            closed.extend(windows.remove(&ended).into_iter().flat_map(Window::into_summaries));
        }
        if windows.len() >= MAX_WINDOWS && !windows.contains_key(&key) {
            let oldest = windows.iter().min_by_key(|(_, window)| window.started_at).map(|(key, _)| key.clone());
            closed.extend(oldest.and_then(|key| windows.remove(&key)).into_iter().flat_map(Window::into_summaries));
        }
        let window = windows.entry(key).or_insert_with(|| Window::new(now));
        (window.count(failure, name, now), closed)
    }

    /// Summaries of the windows that have ended at `now`.
    pub fn take_ended(&self, now: DateTime<Utc>) -> Vec<FailureSummary> {
        let mut windows = self.0.lock();
        windows.extract_if(|_, window| window.has_ended(now)).flat_map(|(_, window)| window.into_summaries()).collect()
    }

    /// Summaries of all windows, ended or not.
    pub fn take_all(&self) -> Vec<FailureSummary> {
        let mut windows = self.0.lock();
        windows.drain().flat_map(|(_, window)| window.into_summaries()).collect()
    }
}

impl Window {
    fn new(started_at: DateTime<Utc>) -> Self {
        Self { started_at, names: Vec::new(), targets: HashMap::new() }
    }

    /// A clock that was set back ends it, too.
    fn has_ended(&self, now: DateTime<Utc>) -> bool {
        now >= self.started_at + WINDOW || now < self.started_at - WINDOW
    }

    fn count(&mut self, failure: FailedAttempt, name: String, now: DateTime<Utc>) -> Recording {
        if self.names.len() < MAX_IMMEDIATE && !self.names.contains(&name) {
            self.names.push(name);
            return Recording::Immediate;
        }
        let is_full = self.targets.len() >= MAX_TARGETS && !self.targets.contains_key(&failure.target);
        let last = if is_full {
            FailedAttempt { target: None, actor: None, tenant: None, session: None, ..failure }
        } else {
            failure
        };
        let summary = self.targets.entry(last.target);
        summary
            .and_modify(|summary| {
                summary.count += 1;
                summary.last_at = now;
                summary.last = last.clone();
            })
            .or_insert_with(|| FailureSummary { last, count: 1, first_at: now, last_at: now });
        Recording::Aggregated
    }

    fn into_summaries(self) -> impl Iterator<Item = FailureSummary> {
        self.targets.into_values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test_time() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn failure(address: u32, target: Option<u128>) -> FailedAttempt {
        FailedAttempt {
            action: "login",
            tenant: target.map(|_| 1),
            actor: None,
            target: target.map(Uuid::from_u128),
            session: None,
            address: Some(IpAddr::V4(address.into())),
            user_agent: None,
            request_id: "r".to_owned(),
        }
    }

    #[test]
    fn ten_thousand_failures_of_an_address_become_few_rows_with_the_right_sum() {
        let windows = FailureWindows::default();
        let (mut rows, mut sum, mut now) = (0, 0, test_time());
        for index in 0..10_000_u32 {
            // One failure in 3 s; every seventh has one of three users as its target.
            let target = (index % 7 == 0).then_some(u128::from(index % 3));
            let (record, closed) = windows.count(failure(1, target), format!("name{index}"), now);
            rows += closed.len() + usize::from(record == Recording::Immediate);
            sum += closed.iter().map(|summary| summary.count).sum::<u64>() + u64::from(record == Recording::Immediate);
            now += TimeDelta::seconds(3);
        }
        let rest = windows.take_all();
        rows += rest.len();
        sum += rest.iter().map(|summary| summary.count).sum::<u64>();
        assert_eq!(sum, 10_000);
        let windows_passed = 10_000 * 3 / 900 + 1;
        assert!(rows <= windows_passed * (MAX_IMMEDIATE + 4), "{rows} rows in {windows_passed} windows");
    }

    #[test]
    fn first_failure_of_a_name_is_recorded_immediately_known_or_unknown() {
        let windows = FailureWindows::default();
        let count = |name: &str, target| windows.count(failure(1, target), name.to_owned(), test_time()).0;
        assert_eq!([count("ann", Some(1)), count("eve", None)], [Recording::Immediate; 2]);
        assert_eq!([count("ann", Some(1)), count("eve", None)], [Recording::Aggregated; 2]);
        // Another name of the same account.
        assert_eq!([count("ann@x.org", Some(1)), count("eve@x.org", None)], [Recording::Immediate; 2]);
        for index in 4..MAX_IMMEDIATE {
            assert_eq!(count(&format!("n{index}"), None), Recording::Immediate);
        }
        assert_eq!([count("bob", Some(2)), count("mallory", None)], [Recording::Aggregated; 2]);
        let mut counts: Vec<_> = windows
            .take_ended(test_time() + WINDOW)
            .into_iter()
            .map(|summary| (summary.last.target, summary.count))
            .collect();
        counts.sort();
        assert_eq!(counts, [(None, 2), (Some(Uuid::from_u128(1)), 1), (Some(Uuid::from_u128(2)), 1)]);
        assert_eq!(windows.take_all(), []);
    }

    #[test]
    fn flood_from_many_addresses_is_bounded_in_memory_and_fully_counted() {
        let windows = FailureWindows::default();
        let mut sum = 0;
        for address in 0..2 * MAX_WINDOWS as u32 {
            for _ in 0..2 {
                let (record, closed) = windows.count(failure(address, None), "x".to_owned(), test_time());
                sum +=
                    closed.iter().map(|summary| summary.count).sum::<u64>() + u64::from(record == Recording::Immediate);
            }
        }
        assert!(windows.0.lock().len() <= MAX_WINDOWS);
        sum += windows.take_all().iter().map(|summary| summary.count).sum::<u64>();
        assert_eq!(sum, 4 * MAX_WINDOWS as u64);
    }
}
