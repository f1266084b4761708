//! Cache of the signed revocation list, and its invalidation.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

/// Lifetime of a cached list while changes of other nodes, which revoke things too, are not polled.
const TTL_UNPOLLED: Duration = Duration::from_secs(1);

/// Lifetime of a cached list while changes of other nodes are polled; an entry that expired meanwhile does no harm.
const TTL: Duration = Duration::from_secs(10);

/// Shortest time between two builds. A change elsewhere waits for it, because most changes revoke nothing; a request
/// after a revocation in this process waits for the next build.
const MIN_REBUILD: Duration = Duration::from_millis(250);

/// One version of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedList {
    /// The list as a signed JWT.
    pub jwt: String,
    /// Hash of the content: lists with equal content have equal tags.
    pub etag: String,
}

/// Whether changes of other nodes are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerChanges {
    /// They are polled.
    Polled,
    /// Polling has failed: other nodes may have revoked something.
    Unknown,
}

/// A list, and the change counters before it was built.
#[derive(Debug)]
pub struct CachedList {
    list: Arc<SignedList>,
    revocations: u64,
    possible_changes: u64,
    built_at: Instant,
}

/// The cached list of this process, and the channels that announce changes.
#[derive(Debug)]
pub struct RevocationList {
    latest: Mutex<Option<CachedList>>,
    revocations: watch::Sender<u64>,
    possible_changes: watch::Sender<u64>,
    closed: watch::Sender<bool>,
}

/// Receives changes that may need another list.
#[derive(Debug)]
pub struct ChangeReceiver {
    revocations: watch::Receiver<u64>,
    possible_changes: watch::Receiver<u64>,
    closed: watch::Receiver<bool>,
}

impl Default for RevocationList {
    fn default() -> Self {
        Self {
            latest: Mutex::default(),
            revocations: watch::Sender::new(0),
            possible_changes: watch::Sender::new(0),
            closed: watch::Sender::new(false),
        }
    }
}

impl RevocationList {
    /// Invalidates the cached list after a revocation in this process.
    pub fn invalidate(&self) {
        self.revocations.send_modify(|count| *count += 1);
    }

    /// Records a change, here or on another node, that may have been a revocation.
    pub fn maybe_changed(&self) {
        self.possible_changes.send_modify(|count| *count += 1);
    }

    /// Ends all waits before the process stops.
    pub fn close(&self) {
        self.closed.send_replace(true);
    }

    /// Returns the cached list, or the one that `make` builds if none is fresh. Concurrent callers wait for one build,
    /// so any number of them costs one database read.
    ///
    /// # Errors
    /// Those of `make`.
    pub async fn get_or_build<E>(
        &self,
        peers: PeerChanges,
        make: impl Future<Output = Result<SignedList, E>>,
    ) -> Result<Arc<SignedList>, E> {
        let mut latest = self.latest.lock().await;
        let (mut revocations, mut possible_changes) = (*self.revocations.borrow(), *self.possible_changes.borrow());
        if let Some(cached) = latest.as_ref() {
            if cached.is_fresh(revocations, possible_changes, peers) {
                return Ok(Arc::clone(&cached.list));
            }
            // Many revocations cause one build, and no caller gets a list that lacks an earlier revocation.
            tokio::time::sleep_until(cached.built_at + MIN_REBUILD).await;
            (revocations, possible_changes) = (*self.revocations.borrow(), *self.possible_changes.borrow());
        }
        // Before the database read: a revocation during the read causes another build.
        let built_at = Instant::now();
        let list = Arc::new(make.await?);
        *latest = Some(CachedList { list: Arc::clone(&list), revocations, possible_changes, built_at });
        Ok(list)
    }

    /// Subscribes to changes from now on.
    pub fn subscribe(&self) -> ChangeReceiver {
        let (revocations, possible_changes) = (self.revocations.subscribe(), self.possible_changes.subscribe());
        ChangeReceiver { revocations, possible_changes, closed: self.closed.subscribe() }
    }
}

impl CachedList {
    fn is_fresh(&self, revocations: u64, possible_changes: u64, peers: PeerChanges) -> bool {
        let age = self.built_at.elapsed();
        let ttl = match peers {
            PeerChanges::Polled => TTL,
            PeerChanges::Unknown => TTL_UNPOLLED,
        };
        self.revocations == revocations && age < ttl && (self.possible_changes == possible_changes || age < MIN_REBUILD)
    }
}

impl ChangeReceiver {
    /// Waits for a revocation here or a possible one elsewhere, at most until `until`; false if waiting again is
    /// useless.
    pub async fn wait(&mut self, until: Instant) -> bool {
        // Also without a change: the polling state may have changed.
        let recheck_at = (Instant::now() + TTL_UNPOLLED).min(until);
        let possible_change = async {
            self.possible_changes.changed().await.ok();
            // After this time no list from before the change is served, and many changes cause one build.
            tokio::time::sleep(MIN_REBUILD).await;
        };
        tokio::select! {
            _ = self.closed.wait_for(|is_closed| *is_closed) => false,
            _ = self.revocations.changed() => true,
            () = possible_change => true,
            () = tokio::time::sleep_until(recheck_at) => Instant::now() < until,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::PeerChanges::{Polled, Unknown};
    use super::*;
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::task::JoinSet;

    /// Requests during a build share its result.
    #[tokio::test]
    async fn concurrent_requests_share_one_build() {
        let (list, builds) = (Arc::new(RevocationList::default()), Arc::new(AtomicUsize::new(0)));
        let mut clients = JoinSet::new();
        for _ in 0..1_000 {
            let (list, builds) = (Arc::clone(&list), Arc::clone(&builds));
            clients.spawn(async move {
                let make = async {
                    tokio::task::yield_now().await;
                    let number = builds.fetch_add(1, Ordering::Relaxed);
                    Ok::<_, Infallible>(SignedList { jwt: String::new(), etag: number.to_string() })
                };
                list.get_or_build(Polled, make).await.map(|list| list.etag.clone())
            });
        }
        let etags = clients.join_all().await;
        // A machine that stalls for a second causes another build.
        assert!(builds.load(Ordering::Relaxed) < 10, "{builds:?}");
        assert!(etags.into_iter().any(|etag| etag == Ok("0".to_owned())));
        let revocations = list.revocations.borrow().to_owned();
        list.invalidate();
        let next = latest(&list, Polled, "new").await;
        assert_eq!((revocations, next.as_str()), (0, "new"), "the next list has the revocation");
    }

    /// However many revocations and waiting clients there are.
    #[tokio::test(start_paused = true)]
    async fn list_is_built_at_most_four_times_a_second() {
        let (list, builds) = (Arc::new(RevocationList::default()), Arc::new(AtomicUsize::new(0)));
        let until = Instant::now() + Duration::from_secs(1);
        let mut clients = JoinSet::new();
        for _ in 0..4 {
            let (list, builds) = (Arc::clone(&list), Arc::clone(&builds));
            clients.spawn(async move {
                let mut changes = list.subscribe();
                while Instant::now() < until {
                    let make = async {
                        builds.fetch_add(1, Ordering::Relaxed);
                        Ok::<_, Infallible>(SignedList { jwt: String::new(), etag: String::new() })
                    };
                    list.get_or_build(Polled, make).await.unwrap();
                    changes.wait(until).await;
                }
            });
        }
        for _ in 0..100 {
            list.invalidate();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        clients.join_all().await;
        let builds = builds.load(Ordering::Relaxed);
        // One at the start, and one at each quarter of the second.
        assert!((4..=5).contains(&builds), "{builds}");
        list.invalidate();
        assert_eq!(latest(&list, Polled, "last").await, "last", "the next list has the last revocation");
    }

    async fn latest(list: &RevocationList, peers: PeerChanges, tag: &str) -> String {
        let make = async { Ok::<_, Infallible>(SignedList { jwt: String::new(), etag: tag.to_owned() }) };
        list.get_or_build(peers, make).await.unwrap().etag.clone()
    }

    #[tokio::test]
    async fn list_is_rebuilt_after_a_possible_revocation_elsewhere() {
        let age = async |list: &RevocationList, age| {
            let mut latest = list.latest.lock().await;
            latest.as_mut().unwrap().built_at = Instant::now().checked_sub(age).unwrap();
        };
        let list = RevocationList::default();
        assert_eq!(latest(&list, Polled, "a").await, "a");
        age(&list, TTL_UNPOLLED).await;
        assert_eq!(latest(&list, Polled, "b").await, "a", "no change was polled");
        assert_eq!(latest(&list, Unknown, "b").await, "b", "changes are not polled");
        age(&list, TTL).await;
        assert_eq!(latest(&list, Polled, "c").await, "c");
        list.maybe_changed();
        // As if no time had passed, however slow the machine is.
        list.latest.lock().await.as_mut().unwrap().built_at = Instant::now() + TTL;
        assert_eq!(latest(&list, Polled, "d").await, "c", "many changes cause one build");
        age(&list, MIN_REBUILD).await;
        assert_eq!(latest(&list, Polled, "d").await, "d");
        assert_eq!(latest(&list, Polled, "e").await, "d");
    }
}
