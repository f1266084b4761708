//! Which subscriptions of a WebSocket connection are active.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use parking_lot::Mutex;

/// The active subscriptions of a connection, by id.
#[derive(Clone, Default)]
pub(super) struct ActiveSubscriptions(Arc<Mutex<Ids>>);

#[derive(Default)]
struct Ids {
    /// The generation distinguishes a subscription from an earlier one with the same id.
    generations: HashMap<String, u64>,
    last_generation: u64,
}

impl ActiveSubscriptions {
    /// Whether no subscription is active.
    pub fn is_empty(&self) -> bool {
        self.0.lock().generations.is_empty()
    }

    /// The number of active subscriptions.
    pub fn count(&self) -> usize {
        self.0.lock().generations.len()
    }

    /// Whether a subscription with this id is active.
    pub fn contains(&self, id: &str) -> bool {
        self.0.lock().generations.contains_key(id)
    }

    /// Removes a subscription that the client has completed.
    pub fn remove(&self, id: &str) {
        self.0.lock().generations.remove(id);
    }

    /// Adds a subscription. It is active until the result is dropped or the client completes it.
    pub fn add(&self, id: String) -> ActiveSubscription {
        let mut ids = self.0.lock();
        ids.last_generation += 1;
        let generation = ids.last_generation;
        ids.generations.insert(id.clone(), generation);
        drop(ids);
        ActiveSubscription { active: self.clone(), id, generation }
    }
}

/// One active subscription.
pub(super) struct ActiveSubscription {
    active: ActiveSubscriptions,
    id: String,
    generation: u64,
}

impl ActiveSubscription {
    /// The id that the client has chosen.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl Drop for ActiveSubscription {
    fn drop(&mut self) {
        let mut ids = self.active.0.lock();
        if let Entry::Occupied(entry) = ids.generations.entry(std::mem::take(&mut self.id))
            && *entry.get() == self.generation
        {
            entry.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_drop_does_not_end_a_later_subscription_with_the_same_id() {
        let active = ActiveSubscriptions::default();
        let first = active.add("x".to_owned());
        assert!(active.contains("x") && active.count() == 1);
        active.remove("x");
        let second = active.add("x".to_owned());
        drop(first);
        assert!(active.contains("x"));
        drop(second);
        assert!(active.is_empty());
    }
}
