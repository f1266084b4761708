//! The authentication cache: what the database returned for a caller, while it is known to be current.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use quick_cache::sync::Cache;

use super::invalidation_log::InvalidationLog;
use crate::store::{Affected, Propagation};

/// The SHA-256 of a token. The token itself is not stored, and only its holder can find the entry.
pub type TokenHash = [u8; 32];

/// Maximum age of an entry. Changes invalidate entries earlier; this bounds changes made with other tools, and times
/// that are only displayed ([`Propagation::ThisNode`]).
const MAX_ENTRY_AGE: Duration = Duration::from_secs(60);

/// A bounded cache of callers, keyed by the hash of their token.
pub struct IdentityCache {
    invalidations: InvalidationLog,
    entries: Option<Cache<TokenHash, Entry>>,
}

/// One entry; the caller defines its value.
#[derive(Clone)]
struct Entry {
    user_id: i64,
    /// The log's version from before the database was read.
    version: u64,
    read_at: Instant,
    value: Arc<dyn Any + Send + Sync>,
}

impl IdentityCache {
    /// Caches at most `max_callers` callers; 0 disables the cache.
    pub fn new(max_callers: usize, invalidations: InvalidationLog) -> Self {
        Self { invalidations, entries: (max_callers > 0).then(|| Cache::new(max_callers)) }
    }

    /// The current version, to be read before the database.
    pub fn version(&self) -> u64 {
        self.invalidations.version()
    }

    /// Invalidates a user on this node, after a change that other nodes need not know of ([`Propagation::ThisNode`]).
    pub fn invalidate(&self, user_id: i64) {
        self.invalidations.record(&[(Affected::User(user_id), Propagation::ThisNode)]);
    }

    /// The caller with this token, if the entry is known to be current.
    pub fn get<V: Any + Send + Sync>(&self, key: &TokenHash) -> Option<Arc<V>> {
        let entries = self.entries.as_ref()?;
        if !self.invalidations.is_fresh() {
            return None;
        }
        let entry = entries.get(key)?;
        if self.invalidations.is_commit_pending(entry.user_id) {
            return None;
        }
        if !self.invalidations.is_current(entry.user_id, entry.version) || entry.read_at.elapsed() >= MAX_ENTRY_AGE {
            entries.remove(key);
            return None;
        }
        entry.value.downcast().ok()
    }

    /// Caches what the database, read at `version`, returned for a user with this token.
    pub fn insert<V: Any + Send + Sync>(&self, key: TokenHash, user_id: i64, version: u64, value: V) {
        if let Some(entries) = &self.entries
            // An entry that changed while it was read would only evict others.
            && !self.invalidations.is_commit_pending(user_id)
            && self.invalidations.is_current(user_id, version)
        {
            entries.insert(key, Entry { user_id, version, read_at: Instant::now(), value: Arc::new(value) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A poll time that stays fresh while the test runs, however slow the machine is.
    fn long_ahead() -> Instant {
        Instant::now() + std::time::Duration::from_secs(3_600)
    }

    fn polled_cache() -> (InvalidationLog, IdentityCache) {
        let invalidations = InvalidationLog::default();
        invalidations.mark_polled(long_ahead());
        (invalidations.clone(), IdentityCache::new(100, invalidations))
    }

    fn cached(cache: &IdentityCache, key: u8) -> Option<i32> {
        cache.get::<i32>(&[key; 32]).map(|value| *value)
    }

    #[test]
    fn entry_is_returned_until_invalidated() {
        let (invalidations, cache) = polled_cache();
        cache.insert([1; 32], 7, cache.version(), 70);
        cache.insert([2; 32], 8, cache.version(), 80);
        assert_eq!((cached(&cache, 1), cached(&cache, 2), cached(&cache, 3)), (Some(70), Some(80), None));
        invalidations.record(&[(Affected::User(7), Propagation::ThisNode)]);
        assert_eq!((cached(&cache, 1), cached(&cache, 2)), (None, Some(80)));
        invalidations.invalidate_all();
        assert_eq!(cached(&cache, 2), None);
    }

    /// S8: the read began before the change and ended after it.
    #[test]
    fn entry_read_across_a_change_is_not_stored() {
        let (invalidations, cache) = polled_cache();
        let version = cache.version();
        invalidations.record(&[(Affected::User(7), Propagation::AllNodes)]);
        cache.insert([1; 32], 7, version, 70);
        assert_eq!(cached(&cache, 1), None);
    }

    /// S9
    #[test]
    fn cache_answers_nothing_before_the_first_poll() {
        let invalidations = InvalidationLog::default();
        let cache = IdentityCache::new(100, invalidations.clone());
        cache.insert([1; 32], 7, cache.version(), 70);
        assert_eq!(cached(&cache, 1), None, "the counters have not been polled yet");
        invalidations.mark_polled(long_ahead());
        assert_eq!(cached(&cache, 1), Some(70));
    }

    #[test]
    fn size_is_bounded_and_zero_disables() {
        let (invalidations, cache) = polled_cache();
        for number in 0..=255 {
            cache.insert([number; 32], 7, cache.version(), i32::from(number));
        }
        let count = (0..=255).filter(|number| cached(&cache, *number).is_some()).count();
        assert!((1..=100).contains(&count), "{count}");
        let disabled = IdentityCache::new(0, invalidations);
        disabled.insert([1; 32], 7, disabled.version(), 70);
        assert_eq!(cached(&disabled, 1), None);
    }
}
