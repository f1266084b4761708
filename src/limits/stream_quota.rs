//! Streams: how many sockets and subscriptions each user has open in this process, and how many of them ask the database
//! at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

/// Streams that ask the database at the same time. What concerns everybody wakes them all: without a limit they would
/// take every connection to the database, and requests would find none.
const MAX_CONCURRENT_QUERIES: usize = 4;

type Counts = Arc<Mutex<HashMap<i64, usize>>>;

/// The streams of this process.
pub struct StreamQuota {
    subscriptions: Counts,
    /// Each may carry several subscriptions, or none.
    websockets: Counts,
    limit: usize,
    query_permits: Semaphore,
}

/// The place of one of them among its user's; dropping it gives it back.
pub struct Slot {
    counts: Counts,
    user_id: i64,
}

impl StreamQuota {
    /// Lets each user have `most` of each.
    pub fn new(most: usize) -> Self {
        Self {
            subscriptions: Counts::default(),
            websockets: Counts::default(),
            limit: most,
            query_permits: Semaphore::new(MAX_CONCURRENT_QUERIES),
        }
    }

    /// Most of each of one user.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// A place for one more subscription of this user, if there is one.
    pub fn acquire_subscription(&self, user_id: i64) -> Option<Slot> {
        self.acquire(&self.subscriptions, user_id)
    }

    /// A place for one more socket of this user, if there is one.
    pub fn acquire_websocket(&self, user_id: i64) -> Option<Slot> {
        self.acquire(&self.websockets, user_id)
    }

    fn acquire(&self, counts: &Counts, user_id: i64) -> Option<Slot> {
        let mut taken = lock(counts);
        let count = taken.entry(user_id).or_default();
        if *count >= self.limit {
            return None;
        }
        *count += 1;
        Some(Slot { counts: Arc::clone(counts), user_id })
    }

    /// Waits until a stream may ask the database; it may while the turn is kept. Nothing, if turns are not given any
    /// more, which does not happen.
    pub async fn query_permit(&self) -> Option<SemaphorePermit<'_>> {
        self.query_permits.acquire().await.ok()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut counts = lock(&self.counts);
        if let Some(count) = counts.get_mut(&self.user_id) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.user_id);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_user_has_a_share_and_gets_it_back() {
        let streams = StreamQuota::new(2);
        let take = || streams.acquire_subscription(1);
        let held = (take().unwrap(), take().unwrap());
        assert!(
            take().is_none() && streams.acquire_subscription(2).is_some() && streams.acquire_websocket(1).is_some()
        );
        drop(held.0);
        assert!(take().is_some());
        drop(held.1);
        assert!(lock(&streams.subscriptions).is_empty() && lock(&streams.websockets).is_empty());
    }
}
