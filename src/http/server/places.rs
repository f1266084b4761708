//! How many connections there may be, in all and from one address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::{self, Proxies};

type Counts = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// The places for connections.
pub(super) struct Places {
    free: Arc<Semaphore>,
    total: u32,
    counts: Counts,
    per_address: usize,
    proxies: Proxies,
}

/// A place that nobody has yet.
pub(super) struct Free(OwnedSemaphorePermit);

/// A connection's place; dropping it gives it back.
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
    counted: Option<(Counts, IpAddr)>,
}

impl Places {
    pub(super) fn new(settings: &config::Server) -> Self {
        let total = u32::try_from(settings.max_connections).unwrap_or(u32::MAX);
        Self {
            free: Arc::new(Semaphore::new(settings.max_connections.min(Semaphore::MAX_PERMITS))),
            total,
            counts: Counts::default(),
            per_address: settings.max_connections_per_address,
            proxies: settings.trusted_proxies.clone(),
        }
    }

    /// Whether the next one has to wait.
    pub(super) fn is_full(&self) -> bool {
        self.free.available_permits() == 0
    }

    /// Waits for a free place.
    pub(super) async fn wait(&self) -> Free {
        loop {
            // It is never closed; if it were, this would not spin.
            match Arc::clone(&self.free).acquire_owned().await {
                Ok(permit) => return Free(permit),
                Err(_) => std::future::pending().await,
            }
        }
    }

    /// Waits until every place is free.
    pub(super) async fn emptied(&self) {
        self.free.acquire_many(self.total).await.ok();
    }
}

impl Free {
    /// Gives the place to an address, unless it has its share. Trusted proxies speak for many clients and have none.
    pub(super) fn of(self, address: IpAddr, places: &Places) -> Option<Place> {
        if places.proxies.contains(address) {
            return Some(Place { _permit: self.0, counted: None });
        }
        let key = household(address);
        let mut counts = locked(&places.counts);
        let count = counts.entry(key).or_default();
        if *count >= places.per_address {
            return None;
        }
        *count += 1;
        Some(Place { _permit: self.0, counted: Some((Arc::clone(&places.counts), key)) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((counts, key)) = &self.counted else { return };
        let mut counts = locked(counts);
        if let Some(count) = counts.get_mut(key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(key);
            }
        }
    }
}

/// What one client can speak from: an IPv4 address, or the /64 that every IPv6 host can choose its addresses in.
fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        address => address,
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Flags};

    async fn take(places: &Places, address: &str) -> Option<Place> {
        places.wait().await.of(address.parse().unwrap(), places)
    }

    /// Promises A3, H7.
    #[tokio::test]
    async fn every_household_has_its_share_and_gets_it_back() {
        let mut settings = Config::load(Flags::default(), []).unwrap().server;
        settings.max_connections_per_address = 2;
        settings.trusted_proxies = "10.0.0.0/8".parse().unwrap();
        let places = Places::new(&settings);
        for [first, second, third, other] in [
            ["192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"],
            ["2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::3", "2001:db8:0:1::1"],
        ] {
            let held = (take(&places, first).await.unwrap(), take(&places, second).await.unwrap());
            assert!(take(&places, third).await.is_none());
            assert!(take(&places, other).await.is_some());
            drop(held.0);
            assert!(take(&places, third).await.is_some());
        }
        let proxied: Vec<_> = [take(&places, "10.0.0.1").await, take(&places, "10.0.0.1").await].into();
        assert!(take(&places, "10.0.0.1").await.is_some() && proxied.iter().all(Option::is_some));
        drop(proxied);
        assert!(locked(&places.counts).is_empty());
        places.emptied().await;
    }
}
