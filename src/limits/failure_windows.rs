//! Failed tries for the audit record: which one is recorded at once, and which are counted in one row for a window of time.
//! Strangers can fail as often as they like; the record must not grow with each of them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::rate_limits::RateLimitKey;

/// How long failures are counted before they are one row.
pub const WINDOW: TimeDelta = TimeDelta::minutes(15);

/// Names whose first failure of an address and window is recorded at once.
pub const MAX_IMMEDIATE: usize = 20;

/// Most windows at a time; the eldest is finished early where there are more.
const MAX_WINDOWS: usize = 10_000;

/// Users whose failures one window counts apart; those of further ones are counted without naming them.
const MAX_TARGETS: usize = 1_000;

/// One failed try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedAttempt {
    /// What was tried.
    pub action: &'static str,
    /// The tenant of the user whom it was about.
    pub tenant: Option<i64>,
    /// Who tried, if that is known.
    pub actor: Option<Uuid>,
    /// Whom it was about, if there is such a user.
    pub target: Option<Uuid>,
    /// In which session.
    pub session: Option<Uuid>,
    /// Where it came from.
    pub address: Option<IpAddr>,
    /// What the client calls itself.
    pub user_agent: Option<String>,
    /// The request.
    pub request_id: String,
}

/// Failures of one kind, target, address and window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureSummary {
    /// The last of them.
    pub last: FailedAttempt,
    /// How many there were, without those that were recorded at once.
    pub count: u64,
    /// When the first one was.
    pub first_at: DateTime<Utc>,
    /// When the last one was.
    pub last_at: DateTime<Utc>,
}

/// What becomes of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recording {
    /// It is recorded at once.
    Immediate,
    /// It was counted, and is recorded with others.
    Aggregated,
}

/// The windows that are open. They are in memory: a process that is killed loses the failures that were counted since.
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
    /// The names whose failure was recorded at once. Those of accounts are no different from others here: whether
    /// something is written must not tell who exists.
    names: Vec<String>,
    targets: HashMap<Option<Uuid>, FailureSummary>,
}

impl FailureWindows {
    /// Counts a failure under a name of which only a digest is given. Tells what becomes of it, and what is to be recorded
    /// of a window that had to make room.
    pub fn count(&self, failure: FailedAttempt, name: String, now: DateTime<Utc>) -> (Recording, Vec<FailureSummary>) {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = Key { action: failure.action, address: failure.address.map(RateLimitKey::address) };
        let mut finished = Vec::new();
        if let Some(over) = windows.get(&key).filter(|window| window.has_ended(now)).map(|_| key.clone()) {
            finished.extend(windows.remove(&over).into_iter().flat_map(Window::into_summaries));
        }
        if windows.len() >= MAX_WINDOWS && !windows.contains_key(&key) {
            let eldest = windows.iter().min_by_key(|(_, window)| window.started_at).map(|(key, _)| key.clone());
            finished.extend(eldest.and_then(|key| windows.remove(&key)).into_iter().flat_map(Window::into_summaries));
        }
        let window = windows.entry(key).or_insert_with(|| Window::new(now));
        (window.count(failure, name, now), finished)
    }

    /// What is to be recorded of windows that are over at `now`.
    pub fn take_ended(&self, now: DateTime<Utc>) -> Vec<FailureSummary> {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        windows.extract_if(|_, window| window.has_ended(now)).flat_map(|(_, window)| window.into_summaries()).collect()
    }

    /// What is to be recorded of all windows, over or not.
    pub fn take_all(&self) -> Vec<FailureSummary> {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        windows.drain().flat_map(|(_, window)| window.into_summaries()).collect()
    }
}

impl Window {
    fn new(begun: DateTime<Utc>) -> Self {
        Self { started_at: begun, names: Vec::new(), targets: HashMap::new() }
    }

    /// A clock that was put back ends it, too.
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
        let counted = self.targets.entry(last.target);
        counted
            .and_modify(|counted| {
                counted.count += 1;
                counted.last_at = now;
                counted.last = last.clone();
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
    fn ten_thousand_failures_of_an_address_are_a_few_rows_that_add_up() {
        let windows = FailureWindows::default();
        let (mut rows, mut sum, mut now) = (0, 0, test_time());
        for number in 0..10_000_u32 {
            // One failure in 3 s; every seventh is about one of three users.
            let target = (number % 7 == 0).then_some(u128::from(number % 3));
            let (record, finished) = windows.count(failure(1, target), format!("name{number}"), now);
            rows += finished.len() + usize::from(record == Recording::Immediate);
            sum +=
                finished.iter().map(|counted| counted.count).sum::<u64>() + u64::from(record == Recording::Immediate);
            now += TimeDelta::seconds(3);
        }
        let rest = windows.take_all();
        rows += rest.len();
        sum += rest.iter().map(|counted| counted.count).sum::<u64>();
        assert_eq!(sum, 10_000);
        let windows_passed = 10_000 * 3 / 900 + 1;
        assert!(rows <= windows_passed * (MAX_IMMEDIATE + 4), "{rows} rows in {windows_passed} windows");
    }

    #[test]
    fn the_first_failure_of_a_name_is_recorded_at_once_whoever_it_belongs_to() {
        let windows = FailureWindows::default();
        let count = |name: &str, target| windows.count(failure(1, target), name.to_owned(), test_time()).0;
        assert_eq!([count("ann", Some(1)), count("eve", None)], [Recording::Immediate; 2]);
        assert_eq!([count("ann", Some(1)), count("eve", None)], [Recording::Aggregated; 2]);
        // Another name of the same account.
        assert_eq!([count("ann@x.org", Some(1)), count("eve@x.org", None)], [Recording::Immediate; 2]);
        for number in 4..MAX_IMMEDIATE {
            assert_eq!(count(&format!("n{number}"), None), Recording::Immediate);
        }
        assert_eq!([count("bob", Some(2)), count("mallory", None)], [Recording::Aggregated; 2]);
        let mut counts: Vec<_> = windows
            .take_ended(test_time() + WINDOW)
            .into_iter()
            .map(|counted| (counted.last.target, counted.count))
            .collect();
        counts.sort();
        assert_eq!(counts, [(None, 2), (Some(Uuid::from_u128(1)), 1), (Some(Uuid::from_u128(2)), 1)]);
        assert_eq!(windows.take_all(), []);
    }

    #[test]
    fn a_flood_from_many_addresses_fills_a_bounded_memory_and_loses_no_count() {
        let windows = FailureWindows::default();
        let mut sum = 0;
        for address in 0..2 * MAX_WINDOWS as u32 {
            for _ in 0..2 {
                let (record, finished) = windows.count(failure(address, None), "x".to_owned(), test_time());
                sum += finished.iter().map(|counted| counted.count).sum::<u64>()
                    + u64::from(record == Recording::Immediate);
            }
        }
        assert!(windows.0.lock().unwrap().len() <= MAX_WINDOWS);
        sum += windows.take_all().iter().map(|counted| counted.count).sum::<u64>();
        assert_eq!(sum, 4 * MAX_WINDOWS as u64);
    }
}
