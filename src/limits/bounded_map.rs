//! A map of bounded size by rate limit key.

use std::collections::HashMap;

use super::key::RateLimitKey;

/// Most keys in memory per limit, in each of two halves.
const HALF_CAPACITY: usize = 50_000;

/// The most recently used keys. When the young half is full the old half is dropped, so that a flood of new keys costs
/// no more memory or time than any other (promise A9).
#[derive(Debug)]
pub(super) struct BoundedMap<V> {
    young: HashMap<RateLimitKey, V>,
    old: HashMap<RateLimitKey, V>,
}

impl<V> Default for BoundedMap<V> {
    fn default() -> Self {
        Self { young: HashMap::new(), old: HashMap::new() }
    }
}

impl<V: Copy> BoundedMap<V> {
    pub(super) fn get(&self, key: RateLimitKey) -> Option<V> {
        self.young.get(&key).or_else(|| self.old.get(&key)).copied()
    }

    pub(super) fn insert(&mut self, key: RateLimitKey, value: V) {
        if self.young.len() >= HALF_CAPACITY && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A9
    #[test]
    fn map_size_is_bounded() {
        let mut map = BoundedMap::default();
        for number in 0..3 * HALF_CAPACITY {
            map.insert(RateLimitKey::user(number as i64), ());
        }
        assert!(map.young.len() + map.old.len() <= 2 * HALF_CAPACITY);
        assert!(map.get(RateLimitKey::user(3 * HALF_CAPACITY as i64 - 1)).is_some());
    }
}
