//! Quotas of streams: WebSockets and subscriptions per user in this process, and concurrent database reads of all
//! streams.

use tokio::sync::{Semaphore, SemaphorePermit};

use super::counted_slots::{self, CountedSlots};

/// Database reads of streams at the same time. A change that affects all streams wakes them at once: without a limit
/// they would take every database connection from requests.
const MAX_CONCURRENT_QUERIES: usize = 4;

/// The stream quotas of this process, by user.
pub struct StreamQuota {
    subscriptions: CountedSlots<i64>,
    /// Each may carry several subscriptions, or none.
    websockets: CountedSlots<i64>,
    limit: usize,
    query_permits: Semaphore,
}

/// One stream's slot in its user's quota; released on drop.
pub type Slot = counted_slots::Slot<i64>;

impl StreamQuota {
    /// Creates quotas of `limit` subscriptions and `limit` WebSockets per user.
    pub fn new(limit: usize) -> Self {
        Self {
            subscriptions: CountedSlots::default(),
            websockets: CountedSlots::default(),
            limit,
            query_permits: Semaphore::new(MAX_CONCURRENT_QUERIES),
        }
    }

    /// Most subscriptions, and most WebSockets, of one user.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Takes a slot for one more subscription of this user; none if the quota is used up.
    pub fn acquire_subscription(&self, user_id: i64) -> Option<Slot> {
        self.subscriptions.acquire(user_id, self.limit)
    }

    /// Takes a slot for one more WebSocket of this user; none if the quota is used up.
    pub fn acquire_websocket(&self, user_id: i64) -> Option<Slot> {
        self.websockets.acquire(user_id, self.limit)
    }

    /// Waits for a permit to read the database, held until it is dropped. None if the semaphore is closed, which does
    /// not happen.
    pub async fn query_permit(&self) -> Option<SemaphorePermit<'_>> {
        self.query_permits.acquire().await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscriptions_and_websockets_have_separate_quotas() {
        let quota = StreamQuota::new(1);
        let _subscription = quota.acquire_subscription(1).unwrap();
        assert!(quota.acquire_subscription(1).is_none() && quota.acquire_websocket(1).is_some());
    }
}
