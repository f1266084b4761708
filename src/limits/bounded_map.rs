//! A map of bounded size by rate limit key.

use quick_cache::unsync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, UnitWeighter};

use super::key::RateLimitKey;

/// Most keys in memory per limit.
const MAX_KEYS: usize = 100_000;

/// Share of the map for keys used more than once. The rest is for new keys: each stays for as many others (promise
/// A9), which the cache's default of 97 % would not give.
const REUSED_SHARE: f64 = 0.5;

/// The most recently used keys. A flood of new keys costs no more memory or time than any other, and evicts new keys
/// before those in use (promise A9).
#[derive(Debug)]
pub(super) struct BoundedMap<V>(Cache<RateLimitKey, V>);

impl<V> Default for BoundedMap<V> {
    fn default() -> Self {
        let mut options = OptionsBuilder::new();
        options.estimated_items_capacity(MAX_KEYS).weight_capacity(MAX_KEYS as u64);
        // Evicted keys are not remembered: a returning key counts as new.
        options.hot_allocation(REUSED_SHARE).ghost_allocation(0.0);
        Self(match options.build() {
            Ok(options) => {
                Cache::with_options(options, UnitWeighter, DefaultHashBuilder::default(), DefaultLifecycle::default())
            }
            // Not reached: only options without capacity are refused.
            Err(_) => Cache::new(MAX_KEYS),
        })
    }
}

impl<V: Copy> BoundedMap<V> {
    pub(super) fn get(&self, key: RateLimitKey) -> Option<V> {
        self.0.get(&key).copied()
    }

    pub(super) fn insert(&mut self, key: RateLimitKey, value: V) {
        self.0.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> RateLimitKey {
        RateLimitKey::user(i64::try_from(number).unwrap())
    }

    /// A9
    #[test]
    fn map_size_is_bounded() {
        let mut map = BoundedMap::default();
        for number in 0..3 * MAX_KEYS {
            map.insert(key(number), ());
        }
        assert!(map.0.len() <= MAX_KEYS);
        assert!(map.get(key(3 * MAX_KEYS - 1)).is_some());
    }

    /// A9
    #[test]
    fn new_key_outlives_half_as_many_others_as_fit() {
        let mut map = BoundedMap::default();
        for number in 0..4 * MAX_KEYS {
            map.insert(key(number), number);
            if let Some(earlier) = number.checked_sub(MAX_KEYS / 2 - 1) {
                assert!(map.0.peek(&key(earlier)).is_some(), "{earlier} after {number}");
            }
        }
    }

    /// A9: a flood of other keys does not free a counter at its limit.
    #[test]
    fn key_in_use_outlives_a_flood_of_new_keys() {
        let mut map = BoundedMap::default();
        for number in 1..=MAX_KEYS {
            map.insert(key(number), ());
        }
        map.insert(key(0), ());
        assert!(map.get(key(0)).is_some());
        for number in MAX_KEYS + 1..10 * MAX_KEYS {
            map.insert(key(number), ());
        }
        assert!(map.get(key(0)).is_some());
    }
}
