//! The invalidation log: the last change of each user that this process knows of, and how fresh that knowledge is.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::store::change_counters::BUCKETS;
use crate::store::{Affected, Propagation};

/// Slots for changes by this process; users share them by their row id.
const USER_SLOTS: usize = 1 << 14;

/// How long the result of a poll counts, from its start. A change by another node is visible within this time; the rest
/// of the guaranteed second is for the request itself.
const MAX_STALENESS: Duration = Duration::from_millis(750);

/// The changes that this process knows of, in the order in which it learned of them. Clones share their state.
#[derive(Clone)]
pub struct InvalidationLog(Arc<State>);

struct State {
    /// Counts the changes.
    version: AtomicU64,
    /// The version of the last change per slot; a few users share one.
    users: Box<[AtomicU64]>,
    /// The version of the last change per bucket; many users share one, as they share a counter in the database.
    buckets: Box<[AtomicU64]>,
    /// The version of the last change that affects all users.
    all_users: AtomicU64,
    /// Per bucket: the number of commits in flight.
    commits_in_flight: Box<[AtomicU32]>,
    opened: Instant,
    /// When the last complete poll began, in nanoseconds since `opened`; 0: never.
    last_poll: AtomicU64,
    /// Per bucket: wakes tasks that wait for a change of its users.
    waiters: Box<[Notify]>,
    /// Signals changes that peers have not been notified of.
    unsent: Notify,
}

impl Default for InvalidationLog {
    fn default() -> Self {
        Self::opened_at(Instant::now())
    }
}

impl InvalidationLog {
    fn opened_at(opened: Instant) -> Self {
        let counters = |count| (0..count).map(|_| AtomicU64::new(0)).collect();
        Self(Arc::new(State {
            version: AtomicU64::new(0),
            users: counters(USER_SLOTS),
            buckets: counters(usize::try_from(BUCKETS).unwrap_or_default()),
            all_users: AtomicU64::new(0),
            commits_in_flight: (0..=BUCKETS).map(|_| AtomicU32::new(0)).collect(),
            opened,
            last_poll: AtomicU64::new(0),
            waiters: (0..BUCKETS).map(|_| Notify::new()).collect(),
            unsent: Notify::new(),
        }))
    }

    /// The current version. Read it before the database: what is read then is as of this version, or later.
    pub fn version(&self) -> u64 {
        self.0.version.load(SeqCst)
    }

    /// Marks a commit to these buckets as in flight. Until the guard is dropped its outcome is unknown: the database
    /// may already show the change while the cache does not.
    pub(crate) fn begin_commit(&self, buckets: BTreeSet<i32>) -> CommitGuard {
        let guard = CommitGuard { invalidations: self.clone(), buckets };
        guard.update(|count| count.fetch_add(1, SeqCst));
        guard
    }

    /// Whether a change of the user may be in the database but not in the log.
    pub(super) fn is_commit_pending(&self, user_id: i64) -> bool {
        let is_in_flight = |slot: i32| self.commits_in_flight(slot).is_some_and(|count| count.load(SeqCst) > 0);
        is_in_flight(Affected::User(user_id).bucket()) || is_in_flight(Affected::AllUsers.bucket())
    }

    fn commits_in_flight(&self, bucket: i32) -> Option<&AtomicU32> {
        usize::try_from(bucket).ok().and_then(|slot| self.0.commits_in_flight.get(slot))
    }

    /// Records changes that this process committed.
    pub(crate) fn record(&self, changes: &[(Affected, Propagation)]) {
        for (affected, _) in changes {
            match *affected {
                Affected::User(id) => {
                    self.bump(self.user_slot(id));
                    self.wake(affected.bucket());
                }
                Affected::AllUsers => self.invalidate_all(),
            }
        }
        if changes.iter().any(|(_, propagation)| *propagation == Propagation::AllNodes) {
            self.0.unsent.notify_one();
        }
    }

    /// Records that the counter of `bucket` was incremented, by any node.
    pub(super) fn record_bucket(&self, bucket: i32) {
        let entry = usize::try_from(bucket).ok().and_then(|slot| self.0.buckets.get(slot));
        self.bump(entry.or(Some(&self.0.all_users)));
        self.wake(bucket);
    }

    /// Marks all users as changed.
    pub fn invalidate_all(&self) {
        self.bump(Some(&self.0.all_users));
        self.wake(Affected::AllUsers.bucket());
    }

    /// Call it after the version was raised, so that woken tasks see the change.
    fn wake(&self, bucket: i32) {
        match usize::try_from(bucket).ok().and_then(|slot| self.0.waiters.get(slot)) {
            Some(waiters) => waiters.notify_waiters(),
            None => self.0.waiters.iter().for_each(Notify::notify_waiters),
        }
    }

    fn bump(&self, entry: Option<&AtomicU64>) {
        let version = self.0.version.fetch_add(1, SeqCst) + 1;
        entry.unwrap_or(&self.0.all_users).fetch_max(version, SeqCst);
    }

    fn user_slot(&self, user_id: i64) -> Option<&AtomicU64> {
        let index = user_id.rem_euclid(i64::try_from(USER_SLOTS).unwrap_or(1));
        usize::try_from(index).ok().and_then(|index| self.0.users.get(index))
    }

    /// Whether what was read of a user at `version` is still current, as far as this process knows.
    pub fn is_current(&self, user_id: i64, version: u64) -> bool {
        let bucket = bucket_index(user_id).and_then(|group| self.0.buckets.get(group));
        [self.user_slot(user_id), bucket, Some(&self.0.all_users)]
            .into_iter()
            .all(|entry| entry.is_some_and(|entry| entry.load(SeqCst) <= version))
    }

    /// Waits until what was read of a user at `version` may be out of date.
    pub async fn wait_for_change(&self, user_id: i64, version: u64) {
        let Some(waiters) = bucket_index(user_id).and_then(|group| self.0.waiters.get(group)) else { return };
        loop {
            // Before the check, so that a later change wakes it.
            let woken = waiters.notified();
            if !self.is_current(user_id, version) {
                return;
            }
            woken.await;
        }
    }

    /// Records a complete poll of the counters that began at `started`.
    pub(super) fn mark_polled(&self, started: Instant) {
        let nanos = started.saturating_duration_since(self.0.opened).as_nanos();
        self.0.last_poll.fetch_max(u64::try_from(nanos).unwrap_or(u64::MAX).max(1), SeqCst);
    }

    /// Whether the last poll is recent. If not, no cached entry may be served.
    pub fn is_fresh(&self) -> bool {
        let last_poll = self.0.last_poll.load(SeqCst);
        last_poll > 0 && self.0.opened.elapsed() < Duration::from_nanos(last_poll) + MAX_STALENESS
    }

    /// Waits until there are changes to notify peers of.
    pub(super) async fn wait_for_unsent(&self) {
        self.0.unsent.notified().await;
    }
}

fn bucket_index(user_id: i64) -> Option<usize> {
    usize::try_from(Affected::User(user_id).bucket()).ok()
}

/// A commit in flight; ends when dropped.
pub(crate) struct CommitGuard {
    invalidations: InvalidationLog,
    buckets: BTreeSet<i32>,
}

impl CommitGuard {
    fn update(&self, change: impl Fn(&AtomicU32) -> u32) {
        for count in self.buckets.iter().filter_map(|slot| self.invalidations.commits_in_flight(*slot)) {
            change(count);
        }
    }
}

impl Drop for CommitGuard {
    fn drop(&mut self) {
        self.update(|count| count.fetch_sub(1, SeqCst));
    }
}

#[cfg(test)]
mod tests;
