//! Automatic persisted queries of Apollo clients: a query is sent once, later only its SHA-256.

use aws_lc_rs::digest::{SHA256, digest};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
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

/// The stored queries. A client sends an evicted query again.
pub(super) struct PersistedQueries(Cache<QueryHash, String, QueryWeight>);

/// Weighs a query by its bytes, and a short one as if it were of average length: so the limit on bytes limits the
/// number, too.
#[derive(Clone)]
struct QueryWeight;

impl Weighter<QueryHash, String> for QueryWeight {
    fn weight(&self, _: &QueryHash, query: &String) -> u64 {
        query.len().max(MAX_BYTES / MAX_QUERIES) as u64
    }
}

impl Default for PersistedQueries {
    fn default() -> Self {
        Self(Cache::with_weighter(MAX_QUERIES, MAX_BYTES as u64, QueryWeight))
    }
}

impl PersistedQueries {
    /// The query with this hash, if it is stored.
    pub fn get(&self, hash: &QueryHash) -> Option<String> {
        self.0.get(hash)
    }

    /// Stores a query under its hash, which the caller has verified. A query with a string literal is not stored: the
    /// literal may be a password, and whether a hash is known would confirm guesses of it.
    pub fn insert(&self, hash: QueryHash, query: &str) {
        if !query.contains('"') {
            self.0.insert(hash, query.to_owned());
        }
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

    /// G13
    #[test]
    fn stored_queries_are_bounded_in_number_and_bytes() {
        for query in ["{ me { id } }", &"x".repeat(MAX_BYTES / 100)] {
            let persisted = PersistedQueries::default();
            for index in 0..3 * MAX_QUERIES {
                persisted.insert(numbered_hash(index), query);
                assert_eq!(persisted.get(&numbered_hash(index)).as_deref(), Some(query), "the last is stored");
            }
            let stored = (0..3 * MAX_QUERIES).filter(|index| persisted.get(&numbered_hash(*index)).is_some()).count();
            // The cache rounds the capacity of each shard up.
            let fits = MAX_QUERIES.min(MAX_BYTES / query.len()) * 5 / 4;
            assert!((1..=fits).contains(&stored), "{stored} of {} bytes", query.len());
        }
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
