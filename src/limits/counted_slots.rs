//! Counted slots: how many of a resource each key holds at the same time.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use parking_lot::Mutex;

/// The number of slots in use by key.
pub struct CountedSlots<K>(Counts<K>);

type Counts<K> = Arc<Mutex<HashMap<K, usize>>>;

/// One slot of a key; released on drop.
pub struct Slot<K: Copy + Eq + Hash> {
    counts: Counts<K>,
    key: K,
}

impl<K> Default for CountedSlots<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Copy + Eq + Hash> CountedSlots<K> {
    /// Whether no key holds a slot.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }

    /// Takes a slot of `key`; none if it holds `limit` already.
    pub fn acquire(&self, key: K, limit: usize) -> Option<Slot<K>> {
        let mut counts = self.0.lock();
        let count = counts.entry(key).or_default();
        if *count >= limit {
            return None;
        }
        *count += 1;
        Some(Slot { counts: Arc::clone(&self.0), key })
    }
}

impl<K: Copy + Eq + Hash> Drop for Slot<K> {
    fn drop(&mut self) {
        let mut counts = self.counts.lock();
        if let Some(count) = counts.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slot_is_per_key_and_released_on_drop() {
        let slots = CountedSlots::default();
        let (first, second) = (slots.acquire(1, 2).unwrap(), slots.acquire(1, 2).unwrap());
        assert!(slots.acquire(1, 2).is_none() && slots.acquire(2, 2).is_some());
        drop(first);
        assert!(slots.acquire(1, 2).is_some());
        drop(second);
        assert!(slots.is_empty());
    }
}
