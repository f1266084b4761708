//! The bulletin: the signed list of what was revoked lately, kept for a moment for all who ask for it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

/// How long an edition is handed out while nothing is heard of other nodes, which revoke things, too.
const TTL_UNPOLLED: Duration = Duration::from_secs(1);

/// How long an edition is handed out while their changes are heard: what leaves the list with time is nobody's harm.
const TTL: Duration = Duration::from_secs(10);

/// Shortest time between two editions. What was changed elsewhere waits for it, because most of it revokes nothing; who
/// asks after a revocation of this process waits for the next edition.
const MIN_REBUILD: Duration = Duration::from_millis(250);

/// One edition of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedList {
    /// The list, signed.
    pub jwt: String,
    /// Tells it from an edition that says something else.
    pub etag: String,
}

/// An edition, and what was known when it was made.
#[derive(Debug)]
pub struct CachedList {
    list: Arc<SignedList>,
    revocations: u64,
    possible_changes: u64,
    built_at: Instant,
}

/// What this process knows of the list.
#[derive(Debug)]
pub struct RevocationList {
    latest: Mutex<Option<CachedList>>,
    revocations: watch::Sender<u64>,
    possible_changes: watch::Sender<u64>,
    closed: watch::Sender<bool>,
}

/// Somebody who waits for another edition.
#[derive(Debug)]
pub struct ChangeReceiver {
    revocations: watch::Receiver<u64>,
    possible_changes: watch::Receiver<u64>,
    closed: watch::Receiver<bool>,
}

impl Default for RevocationList {
    fn default() -> Self {
        let (news, heard, closed) = (watch::Sender::new(0), watch::Sender::new(0), watch::Sender::new(false));
        Self { latest: Mutex::default(), revocations: news, possible_changes: heard, closed }
    }
}

impl RevocationList {
    /// Something was revoked: what was handed out until now is old.
    pub fn invalidate(&self) {
        self.revocations.send_modify(|count| *count += 1);
    }

    /// Something was changed, here or on another node, that may have been a revocation.
    pub fn maybe_changed(&self) {
        self.possible_changes.send_modify(|count| *count += 1);
    }

    /// Nobody waits any more: the process is about to stop.
    pub fn close(&self) {
        self.closed.send_replace(true);
    }

    /// The latest edition, made by `make` if there is none that is fresh; `is_hearing` tells whether changes of other
    /// nodes arrive. Whoever comes while it is being made waits for it, so that any number of callers costs one look at
    /// the database.
    ///
    /// # Errors
    /// Those of `make`.
    pub async fn get_or_build<E>(
        &self,
        is_hearing: bool,
        make: impl Future<Output = Result<SignedList, E>>,
    ) -> Result<Arc<SignedList>, E> {
        let mut latest = self.latest.lock().await;
        let (mut news, mut heard) = (*self.revocations.borrow(), *self.possible_changes.borrow());
        if let Some(kept) = latest.as_ref() {
            if kept.is_fresh(news, heard, is_hearing) {
                return Ok(Arc::clone(&kept.list));
            }
            // Many revocations make one edition, and nobody is told less than what is so already.
            tokio::time::sleep_until(kept.built_at + MIN_REBUILD).await;
            (news, heard) = (*self.revocations.borrow(), *self.possible_changes.borrow());
        }
        // Before the database is looked at: what is revoked meanwhile makes another edition.
        let made_at = Instant::now();
        let edition = Arc::new(make.await?);
        *latest = Some(CachedList {
            list: Arc::clone(&edition),
            revocations: news,
            possible_changes: heard,
            built_at: made_at,
        });
        Ok(edition)
    }

    /// Hears of what is revoked from now on.
    pub fn subscribe(&self) -> ChangeReceiver {
        let (news, heard) = (self.revocations.subscribe(), self.possible_changes.subscribe());
        ChangeReceiver { revocations: news, possible_changes: heard, closed: self.closed.subscribe() }
    }
}

impl CachedList {
    fn is_fresh(&self, news: u64, heard: u64, is_hearing: bool) -> bool {
        let age = self.built_at.elapsed();
        let most = if is_hearing { TTL } else { TTL_UNPOLLED };
        self.revocations == news && age < most && (self.possible_changes == heard || age < MIN_REBUILD)
    }
}

impl ChangeReceiver {
    /// Waits until something was revoked here, or might have been elsewhere; tells whether waiting on makes sense.
    pub async fn wait(&mut self, until: Instant) -> bool {
        // Also without a sound: whether others are heard may have changed.
        let look = (Instant::now() + TTL_UNPOLLED).min(until);
        let heard = async {
            self.possible_changes.changed().await.ok();
            // An edition from before the change is not handed out any more, and many changes make one look.
            tokio::time::sleep(MIN_REBUILD).await;
        };
        tokio::select! {
            _ = self.closed.wait_for(|is_closed| *is_closed) => false,
            _ = self.revocations.changed() => true,
            () = heard => true,
            () = tokio::time::sleep_until(look) => Instant::now() < until,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::task::JoinSet;

    /// Those who come while an edition is being made take that one.
    #[tokio::test]
    async fn is_made_once_for_all_who_ask() {
        let (bulletin, made) = (Arc::new(RevocationList::default()), Arc::new(AtomicUsize::new(0)));
        let mut readers = JoinSet::new();
        for _ in 0..1_000 {
            let (bulletin, made) = (Arc::clone(&bulletin), Arc::clone(&made));
            readers.spawn(async move {
                let make = async {
                    tokio::task::yield_now().await;
                    let number = made.fetch_add(1, Ordering::Relaxed);
                    Ok::<_, Infallible>(SignedList { jwt: String::new(), etag: number.to_string() })
                };
                bulletin.get_or_build(true, make).await.map(|edition| edition.etag.clone())
            });
        }
        let tags = readers.join_all().await;
        // A machine that stands still for a second makes another one.
        assert!(made.load(Ordering::Relaxed) < 10, "{made:?}");
        assert!(tags.into_iter().any(|tag| tag == Ok("0".to_owned())));
        let known = bulletin.revocations.borrow().to_owned();
        bulletin.invalidate();
        let next = latest(&bulletin, true, "new").await;
        assert_eq!((known, next.as_str()), (0, "new"), "what was revoked here is in the next one");
    }

    /// However often something is revoked here, and however many wait for it.
    #[tokio::test(start_paused = true)]
    async fn is_made_four_times_a_second_at_most() {
        let (bulletin, made) = (Arc::new(RevocationList::default()), Arc::new(AtomicUsize::new(0)));
        let until = Instant::now() + Duration::from_secs(1);
        let mut watchers = JoinSet::new();
        for _ in 0..4 {
            let (bulletin, made) = (Arc::clone(&bulletin), Arc::clone(&made));
            watchers.spawn(async move {
                let mut listener = bulletin.subscribe();
                while Instant::now() < until {
                    let make = async {
                        made.fetch_add(1, Ordering::Relaxed);
                        Ok::<_, Infallible>(SignedList { jwt: String::new(), etag: String::new() })
                    };
                    bulletin.get_or_build(true, make).await.unwrap();
                    listener.wait(until).await;
                }
            });
        }
        for _ in 0..100 {
            bulletin.invalidate();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        watchers.join_all().await;
        let made = made.load(Ordering::Relaxed);
        // One at the begin, and one at each quarter of the second.
        assert!((4..=5).contains(&made), "{made}");
        bulletin.invalidate();
        assert_eq!(latest(&bulletin, true, "last").await, "last", "what was revoked last is in the next one");
    }

    async fn latest(bulletin: &RevocationList, is_hearing: bool, tag: &str) -> String {
        let make = async { Ok::<_, Infallible>(SignedList { jwt: String::new(), etag: tag.to_owned() }) };
        bulletin.get_or_build(is_hearing, make).await.unwrap().etag.clone()
    }

    #[tokio::test]
    async fn is_made_again_when_others_may_have_revoked_something() {
        let age = async |bulletin: &RevocationList, age| {
            let mut latest = bulletin.latest.lock().await;
            latest.as_mut().unwrap().built_at = Instant::now().checked_sub(age).unwrap();
        };
        let bulletin = RevocationList::default();
        assert_eq!(latest(&bulletin, true, "a").await, "a");
        age(&bulletin, TTL_UNPOLLED).await;
        assert_eq!(latest(&bulletin, true, "b").await, "a", "nothing was heard");
        assert_eq!(latest(&bulletin, false, "b").await, "b", "nothing can be heard");
        age(&bulletin, TTL).await;
        assert_eq!(latest(&bulletin, true, "c").await, "c");
        bulletin.maybe_changed();
        // As if no time passed, however slow the machine is.
        bulletin.latest.lock().await.as_mut().unwrap().built_at = Instant::now() + TTL;
        assert_eq!(latest(&bulletin, true, "d").await, "c", "many changes make one look");
        age(&bulletin, MIN_REBUILD).await;
        assert_eq!(latest(&bulletin, true, "d").await, "d");
        assert_eq!(latest(&bulletin, true, "e").await, "d");
    }
}
