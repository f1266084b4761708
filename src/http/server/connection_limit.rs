//! Connection limits, in total and per client address.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::config::{self, IpNetworks};
use crate::limits::counted_slots::{self, CountedSlots};
use crate::limits::key::RateLimitKey;

pub(super) struct ConnectionLimit {
    available: Arc<Semaphore>,
    connections: TaskTracker,
    by_address: CountedSlots<RateLimitKey>,
    max_per_address: usize,
    trusted_proxies: IpNetworks,
}

/// A free slot that is not assigned to an address.
pub(super) struct Slot(OwnedSemaphorePermit);

/// The permit of a connection; dropping it releases the slot.
pub(super) struct Permit {
    _permit: OwnedSemaphorePermit,
    _tracked: TaskTrackerToken,
    _by_address: Option<counted_slots::Slot<RateLimitKey>>,
}

impl ConnectionLimit {
    pub(super) fn new(settings: &config::Server) -> Self {
        Self {
            available: Arc::new(Semaphore::new(settings.max_connections.min(Semaphore::MAX_PERMITS))),
            connections: TaskTracker::new(),
            by_address: CountedSlots::default(),
            max_per_address: settings.max_connections_per_address,
            trusted_proxies: settings.trusted_proxies.clone(),
        }
    }

    /// Whether the next connection must wait.
    pub(super) fn is_full(&self) -> bool {
        self.available.available_permits() == 0
    }

    /// Waits for a free slot.
    pub(super) async fn acquire(&self) -> Slot {
        loop {
            // The semaphore is never closed; if it were, this would not spin.
            match Arc::clone(&self.available).acquire_owned().await {
                Ok(permit) => return Slot(permit),
                Err(_) => std::future::pending().await,
            }
        }
    }

    /// Waits until all connections have ended.
    pub(super) async fn wait_until_empty(&self) {
        self.connections.close();
        self.connections.wait().await;
    }
}

impl Slot {
    /// Assigns the slot to an address, unless the address is at its limit. Trusted proxies represent many clients and
    /// have no limit.
    pub(super) fn assign(self, address: IpAddr, limit: &ConnectionLimit) -> Option<Permit> {
        let by_address = if limit.trusted_proxies.contains(address) {
            None
        } else {
            Some(limit.by_address.acquire(RateLimitKey::address(address), limit.max_per_address)?)
        };
        Some(Permit { _permit: self.0, _tracked: limit.connections.token(), _by_address: by_address })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Flags};

    async fn acquire(limit: &ConnectionLimit, address: &str) -> Option<Permit> {
        limit.acquire().await.assign(address.parse().unwrap(), limit)
    }

    /// Promises A3, H7.
    #[tokio::test]
    async fn each_client_subnet_has_its_own_limit() {
        let mut settings = Config::load(Flags::default(), []).unwrap().server;
        settings.max_connections_per_address = 2;
        settings.trusted_proxies = "10.0.0.0/8".parse().unwrap();
        let limit = ConnectionLimit::new(&settings);
        for [first, second, third, other] in [
            ["192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"],
            ["2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::3", "2001:db8:0:1::1"],
        ] {
            let held = (acquire(&limit, first).await.unwrap(), acquire(&limit, second).await.unwrap());
            assert!(acquire(&limit, third).await.is_none());
            assert!(acquire(&limit, other).await.is_some());
            drop(held.0);
            assert!(acquire(&limit, third).await.is_some());
        }
        let proxied: Vec<_> = [acquire(&limit, "10.0.0.1").await, acquire(&limit, "10.0.0.1").await].into();
        assert!(acquire(&limit, "10.0.0.1").await.is_some() && proxied.iter().all(Option::is_some));
        drop(proxied);
        assert!(limit.by_address.is_empty());
        limit.wait_until_empty().await;
    }
}
