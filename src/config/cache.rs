//! Settings of the authentication cache.

use super::reader::Reader;

/// Settings of the authentication cache.
#[derive(Clone, Copy, Debug)]
pub struct Cache {
    /// Entries of the cache; 0 disables it.
    pub max_callers: usize,
}

impl Cache {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let max_callers = reader.integer("cache.max_callers", 0..=1_000_000);
        Some(Self { max_callers: max_callers? })
    }
}
