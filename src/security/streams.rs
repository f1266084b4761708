//! Streams: how many sockets and subscriptions each user has open in this process, and how many of them ask the database
//! at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

/// Streams that ask the database at the same time. What concerns everybody wakes them all: without a limit they would
/// take every connection to the database, and requests would find none.
const AT_ONCE: usize = 4;

type Counts = Arc<Mutex<HashMap<i64, usize>>>;

/// The streams of this process.
pub struct Streams {
    subscriptions: Counts,
    /// Each may carry several subscriptions, or none.
    sockets: Counts,
    most: usize,
    turns: Semaphore,
}

/// The place of one of them among its user's; dropping it gives it back.
pub struct Seat {
    counts: Counts,
    user_id: i64,
}

impl Streams {
    /// Lets each user have `most` of each.
    pub fn new(most: usize) -> Self {
        Self { subscriptions: Counts::default(), sockets: Counts::default(), most, turns: Semaphore::new(AT_ONCE) }
    }

    /// Most of each of one user.
    pub fn most(&self) -> usize {
        self.most
    }

    /// A place for one more subscription of this user, if there is one.
    pub fn take_subscription(&self, user_id: i64) -> Option<Seat> {
        self.take(&self.subscriptions, user_id)
    }

    /// A place for one more socket of this user, if there is one.
    pub fn take_socket(&self, user_id: i64) -> Option<Seat> {
        self.take(&self.sockets, user_id)
    }

    fn take(&self, counts: &Counts, user_id: i64) -> Option<Seat> {
        let mut taken = locked(counts);
        let count = taken.entry(user_id).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Seat { counts: Arc::clone(counts), user_id })
    }

    /// Waits until a stream may ask the database; it may while the turn is kept. Nothing, if turns are not given any
    /// more, which does not happen.
    pub async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.turns.acquire().await.ok()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = locked(&self.counts);
        if let Some(count) = counts.get_mut(&self.user_id) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.user_id);
            }
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_user_has_a_share_and_gets_it_back() {
        let streams = Streams::new(2);
        let take = || streams.take_subscription(1);
        let held = (take().unwrap(), take().unwrap());
        assert!(take().is_none() && streams.take_subscription(2).is_some() && streams.take_socket(1).is_some());
        drop(held.0);
        assert!(take().is_some());
        drop(held.1);
        assert!(locked(&streams.subscriptions).is_empty() && locked(&streams.sockets).is_empty());
    }
}
