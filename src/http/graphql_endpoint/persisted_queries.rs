//! Automatic persisted queries of Apollo clients: a query is sent once, later only its SHA-256.

use std::collections::{HashMap, VecDeque};

use aws_lc_rs::digest::{SHA256, digest};
use parking_lot::Mutex;
use serde_json::Value;

/// Maximum number of stored queries.
const MAX_QUERIES: usize = 1_000;

/// Maximum bytes of all stored queries.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// The SHA-256 of a query.
pub(super) type QueryHash = [u8; 32];

/// Why a `persistedQuery` extension is refused.
pub(super) enum InvalidHash {
    /// The protocol version is not supported.
    UnsupportedVersion,
    /// The extension is malformed.
    Malformed,
}

/// The hash in a `persistedQuery` extension.
///
/// # Errors
/// When the version is unsupported or the hash malformed.
pub(super) fn parse_hash(extension: &Value) -> Result<QueryHash, InvalidHash> {
    match extension.get("version") {
        Some(version) if version.as_u64() == Some(1) => {}
        Some(Value::Number(_)) => return Err(InvalidHash::UnsupportedVersion),
        _ => return Err(InvalidHash::Malformed),
    }
    extension.get("sha256Hash").and_then(Value::as_str).and_then(decode_hex).ok_or(InvalidHash::Malformed)
}

fn decode_hex(digits: &str) -> Option<QueryHash> {
    let mut hash = QueryHash::default();
    hex::decode_to_slice(digits, &mut hash).ok().map(|()| hash)
}

/// Whether `hash` is the SHA-256 of `query`.
pub(super) fn is_hash_of(hash: &QueryHash, query: &str) -> bool {
    digest(&SHA256, query.as_bytes()).as_ref() == hash
}

/// The stored queries; the oldest is evicted first, and a client then sends its query again.
#[derive(Default)]
pub(super) struct PersistedQueries(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    queries: HashMap<QueryHash, String>,
    insertion_order: VecDeque<QueryHash>,
    bytes: usize,
}

impl PersistedQueries {
    /// The query with this hash, if it is stored.
    pub fn get(&self, hash: &QueryHash) -> Option<String> {
        self.with_entries(|entries| entries.queries.get(hash).cloned())
    }

    /// Stores a query under its hash, which the caller has verified.
    pub fn insert(&self, hash: QueryHash, query: &str) {
        self.with_entries(|entries| {
            if entries.queries.insert(hash, query.to_owned()).is_some() {
                return;
            }
            entries.insertion_order.push_back(hash);
            entries.bytes += query.len();
            while entries.queries.len() > MAX_QUERIES || entries.bytes > MAX_BYTES {
                let Some(oldest) = entries.insertion_order.pop_front() else { return };
                entries.bytes -= entries.queries.remove(&oldest).map_or(0, |query| query.len());
            }
        });
    }

    fn with_entries<T>(&self, access: impl FnOnce(&mut Entries) -> T) -> T {
        access(&mut self.0.lock())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered_hash(number: usize) -> QueryHash {
        let mut hash = QueryHash::default();
        hash[..8].copy_from_slice(&number.to_be_bytes());
        hash
    }

    #[test]
    fn oldest_query_is_evicted_past_the_count_limit() {
        let persisted = PersistedQueries::default();
        for index in 0..=MAX_QUERIES {
            persisted.insert(numbered_hash(index), "{ me { id } }");
            persisted.insert(numbered_hash(index), "{ me { id } }");
        }
        assert_eq!(persisted.get(&numbered_hash(0)), None);
        assert!((1..=MAX_QUERIES).all(|index| persisted.get(&numbered_hash(index)).is_some()));
        assert_eq!(
            persisted.with_entries(|entries| (entries.insertion_order.len(), entries.bytes)),
            (MAX_QUERIES, 13 * MAX_QUERIES)
        );
    }

    #[test]
    fn oldest_query_is_evicted_past_the_byte_limit() {
        let (persisted, long) = (PersistedQueries::default(), "x".repeat(MAX_BYTES / 10));
        for index in 0..11 {
            persisted.insert(numbered_hash(index), &long);
        }
        assert_eq!(persisted.get(&numbered_hash(0)), None);
        assert!((1..11).all(|index| persisted.get(&numbered_hash(index)).is_some()));
    }

    #[test]
    fn hex_hash_is_read_in_either_case() {
        let zeros = "0".repeat(62);
        assert_eq!(decode_hex(&format!("{zeros}aF")).map(|hash| hash[31]), Some(0xaf));
        for text in ["", "a", &"g".repeat(64), &"0".repeat(63), &"0".repeat(65), &"é".repeat(32)] {
            assert_eq!(decode_hex(text), None, "{text}");
        }
    }
}
