//! The ledger: when something last changed about whom, as far as this process knows, and how far that can be trusted.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::store::change_counters::BUCKETS;
use crate::store::{Affected, Propagation};

/// Places for the changes of this process; users share them by their number.
const USER_SLOTS: usize = 1 << 14;

/// How long after a reading of the counters began its result may be believed. What another node has changed counts
/// within this time, and what is left of the promised second is for the request itself.
const MAX_STALENESS: Duration = Duration::from_millis(750);

/// The changes that this process knows of, in the order in which it learned of them. A clone is a pointer.
#[derive(Clone)]
pub struct InvalidationLog(Arc<State>);

struct State {
    /// Counts the changes.
    version: AtomicU64,
    /// The last change of a few users each.
    users: Box<[AtomicU64]>,
    /// The last change of many users each: the counters in the database tell no more than that.
    buckets: Box<[AtomicU64]>,
    /// The last change of everybody.
    all_users: AtomicU64,
    /// By slot: how many changes are being committed.
    commits_in_flight: Box<[AtomicU32]>,
    opened: Instant,
    /// When the last complete reading of the counters began, in nanoseconds since `opened`; 0: there was none.
    last_poll: AtomicU64,
    /// Ring when something has changed about a user of the group.
    waiters: Box<[Notify]>,
    /// Somebody is to be told.
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

    /// The present instant. Whoever reads from the database takes it first: what they read is as of this instant, or
    /// later.
    pub fn version(&self) -> u64 {
        self.0.version.load(SeqCst)
    }

    /// Changes of these slots are about to be committed. Until the result is dropped nobody knows whether they were:
    /// some readers may have seen them in the database when others, who remember, have not.
    pub(crate) fn begin_commit(&self, buckets: BTreeSet<i32>) -> CommitGuard {
        let guard = CommitGuard { invalidations: self.clone(), buckets };
        guard.update(|count| count.fetch_add(1, SeqCst));
        guard
    }

    /// Whether a change of the user may be in the database, and is not noted yet.
    pub(super) fn is_commit_pending(&self, user_id: i64) -> bool {
        let is_in_flight = |slot: i32| self.commits_in_flight(slot).is_some_and(|count| count.load(SeqCst) > 0);
        is_in_flight(Affected::User(user_id).bucket()) || is_in_flight(Affected::AllUsers.bucket())
    }

    fn commits_in_flight(&self, bucket: i32) -> Option<&AtomicU32> {
        usize::try_from(bucket).ok().and_then(|slot| self.0.commits_in_flight.get(slot))
    }

    /// Notes changes that were committed by this process.
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
        if changes.iter().any(|(_, reach)| *reach == Propagation::AllNodes) {
            self.0.unsent.notify_one();
        }
    }

    /// Notes that the counter of `slot` was raised, by whomever.
    pub(super) fn record_bucket(&self, bucket: i32) {
        let entry = usize::try_from(bucket).ok().and_then(|slot| self.0.buckets.get(slot));
        self.bump(entry.or(Some(&self.0.all_users)));
        self.wake(bucket);
    }

    /// Nobody's state is known any more.
    pub fn invalidate_all(&self) {
        self.bump(Some(&self.0.all_users));
        self.wake(Affected::AllUsers.bucket());
    }

    /// After the page was raised: whoever is woken finds it so.
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
        usize::try_from(index).ok().and_then(|place| self.0.users.get(place))
    }

    /// Whether what was read of a user as of `instant` is still true, as far as this process knows.
    pub fn is_current(&self, user_id: i64, version: u64) -> bool {
        let bucket = bucket_index(user_id).and_then(|group| self.0.buckets.get(group));
        [self.user_slot(user_id), bucket, Some(&self.0.all_users)]
            .into_iter()
            .all(|entry| entry.is_some_and(|page| page.load(SeqCst) <= version))
    }

    /// Waits until what was read of a user as of `instant` may not be true any more.
    pub async fn wait_for_change(&self, user_id: i64, version: u64) {
        let Some(waiters) = bucket_index(user_id).and_then(|group| self.0.waiters.get(group)) else { return };
        loop {
            // Before the look: what changes after it rings.
            let woken = waiters.notified();
            if !self.is_current(user_id, version) {
                return;
            }
            woken.await;
        }
    }

    /// A complete reading of the counters, begun at `begun`, was noted.
    pub(super) fn mark_polled(&self, started: Instant) {
        let nanos = started.saturating_duration_since(self.0.opened).as_nanos();
        self.0.last_poll.fetch_max(u64::try_from(nanos).unwrap_or(u64::MAX).max(1), SeqCst);
    }

    /// Whether news of the other nodes have arrived of late. Without, nothing that is remembered may be believed.
    pub fn is_fresh(&self) -> bool {
        let last_poll = self.0.last_poll.load(SeqCst);
        last_poll > 0 && self.0.opened.elapsed() < Duration::from_nanos(last_poll) + MAX_STALENESS
    }

    /// Waits until the other nodes are to be told of something.
    pub(super) async fn wait_for_unsent(&self) {
        self.0.unsent.notified().await;
    }
}

fn bucket_index(user_id: i64) -> Option<usize> {
    usize::try_from(Affected::User(user_id).bucket()).ok()
}

/// Changes that are being committed; over when it is dropped.
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
mod tests {
    use super::*;

    const ANN: i64 = 7;
    const BOB: i64 = 8;

    #[test]
    fn read_before_a_change_is_not_current() {
        let invalidations = InvalidationLog::default();
        let before = invalidations.version();
        assert!(invalidations.is_current(ANN, before));
        invalidations.record(&[(Affected::User(ANN), Propagation::AllNodes)]);
        assert!(!invalidations.is_current(ANN, before), "a read that began before the change");
        assert!(invalidations.is_current(ANN, invalidations.version()), "one that began after it");
        assert!(invalidations.is_current(BOB, before), "of somebody else");
    }

    #[test]
    fn commit_is_pending_until_its_guard_is_dropped() {
        let invalidations = InvalidationLog::default();
        let (one, two) = (
            invalidations.begin_commit([Affected::User(ANN).bucket()].into()),
            invalidations.begin_commit([Affected::User(ANN).bucket()].into()),
        );
        assert!(invalidations.is_commit_pending(ANN) && !invalidations.is_commit_pending(BOB));
        drop(one);
        assert!(invalidations.is_commit_pending(ANN), "the other one");
        drop(two);
        assert!(!invalidations.is_commit_pending(ANN));
        let all = invalidations.begin_commit([Affected::AllUsers.bucket()].into());
        assert!(invalidations.is_commit_pending(ANN) && invalidations.is_commit_pending(BOB));
        drop(all);
        assert!(!invalidations.is_commit_pending(BOB));
    }

    #[test]
    fn bucket_change_invalidates_its_users_only() {
        let invalidations = InvalidationLog::default();
        for bucket in [Affected::User(ANN).bucket(), Affected::AllUsers.bucket()] {
            let before = invalidations.version();
            invalidations.record_bucket(bucket);
            assert!(!invalidations.is_current(ANN, before) && !invalidations.is_current(ANN + BUCKETS, before));
            assert_eq!(invalidations.is_current(BOB, before), bucket != Affected::AllUsers.bucket());
        }
    }

    /// However the change was learned of, and whoever else was waiting.
    #[tokio::test]
    async fn every_kind_of_change_wakes_its_waiters() {
        let invalidations = InvalidationLog::default();
        for change in 0..4 {
            let waits = |user_id| {
                let (invalidations, version) = (invalidations.clone(), invalidations.version());
                tokio::spawn(async move { invalidations.wait_for_change(user_id, version).await })
            };
            let (ann, also_ann, bob) = (waits(ANN), waits(ANN), waits(BOB));
            tokio::task::yield_now().await;
            match change {
                0 => invalidations.record(&[(Affected::User(ANN), Propagation::ThisNode)]),
                1 => invalidations.record_bucket(Affected::User(ANN).bucket()),
                2 => invalidations.record_bucket(Affected::AllUsers.bucket()),
                _ => invalidations.invalidate_all(),
            }
            ann.await.unwrap();
            also_ann.await.unwrap();
            assert_eq!(bob.is_finished(), change > 1);
            bob.abort();
        }
        let before = invalidations.version();
        invalidations.record(&[(Affected::User(ANN), Propagation::AllNodes)]);
        invalidations.wait_for_change(ANN, before).await;
    }

    #[test]
    fn log_is_fresh_only_shortly_after_a_poll() {
        let now = Instant::now();
        let invalidations = InvalidationLog::opened_at(now.checked_sub(MAX_STALENESS * 2).unwrap());
        assert!(!invalidations.is_fresh());
        invalidations.mark_polled(now.checked_sub(MAX_STALENESS).unwrap());
        assert!(!invalidations.is_fresh(), "that was too long ago");
        // Not over while the test runs.
        invalidations.mark_polled(now + MAX_STALENESS * 1_000);
        assert!(invalidations.is_fresh());
    }
}
