//! The log knows which reads are current, wakes waiters and goes stale without polls.

use super::*;

const ANN: i64 = 7;
const BOB: i64 = 8;

#[test]
fn read_before_a_change_is_not_current() {
    let invalidations = InvalidationLog::default();
    let before = invalidations.version();
    assert!(invalidations.is_current(ANN, before));
    invalidations.record(&[(Affected::User(ANN), Propagation::AllNodes)]);
    assert!(!invalidations.is_current(ANN, before), "a read before the change");
    assert!(invalidations.is_current(ANN, invalidations.version()), "a read after the change");
    assert!(invalidations.is_current(BOB, before), "another user");
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
    assert!(invalidations.is_commit_pending(ANN), "the second commit");
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

/// For each way to learn of the change, and with several waiters.
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
    assert!(!invalidations.is_fresh(), "the poll is too old");
    // Stays fresh while the test runs.
    invalidations.mark_polled(now + MAX_STALENESS * 1_000);
    assert!(invalidations.is_fresh());
}
