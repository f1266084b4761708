//! Automatic persisted queries, as Apollo clients ask for them: a query is sent once, later its SHA-256 alone.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::Value;

/// Most queries that are kept.
const MAX_QUERIES: usize = 1_000;

/// Most bytes of all queries that are kept.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// The name of a query.
pub(super) type QueryHash = [u8; 32];

/// Why an extension `persistedQuery` cannot be followed.
pub(super) enum InvalidHash {
    /// It is of a version of the protocol that nobody speaks.
    UnsupportedVersion,
    /// It is not of the protocol's form.
    Malformed,
}

/// The hash in an extension `persistedQuery`.
///
/// # Errors
/// When there is none in it.
pub(super) fn parse_hash(extension: &Value) -> Result<QueryHash, InvalidHash> {
    match extension.get("version") {
        Some(version) if version.as_u64() == Some(1) => {}
        Some(Value::Number(_)) => return Err(InvalidHash::UnsupportedVersion),
        _ => return Err(InvalidHash::Malformed),
    }
    extension.get("sha256Hash").and_then(Value::as_str).and_then(decode_hex).ok_or(InvalidHash::Malformed)
}

fn decode_hex(hexadecimal: &str) -> Option<QueryHash> {
    let mut hash = QueryHash::default();
    let digits = hexadecimal.as_bytes();
    if digits.len() != 2 * hash.len() {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(digits.chunks(2)) {
        for digit in pair {
            let value = char::from(*digit).to_digit(16).and_then(|value| u8::try_from(value).ok())?;
            *byte = *byte << 4 | value;
        }
    }
    Some(hash)
}

/// Whether `hash` is the query's.
pub(super) fn is_hash_of(hash: &QueryHash, query: &str) -> bool {
    digest(&SHA256, query.as_bytes()).as_ref() == hash
}

/// The queries that are kept; the oldest goes first, and a client that asks for it sends it again.
#[derive(Default)]
pub(super) struct PersistedQueries(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    queries: HashMap<QueryHash, String>,
    /// From the oldest to the newest.
    insertion_order: VecDeque<QueryHash>,
    bytes: usize,
}

impl PersistedQueries {
    /// The query with this hash, if it is kept.
    pub fn get(&self, hash: &QueryHash) -> Option<String> {
        self.with_entries(|kept| kept.queries.get(hash).cloned())
    }

    /// Keeps a query under its hash, which the caller has checked.
    pub fn insert(&self, hash: QueryHash, query: &str) {
        self.with_entries(|kept| {
            if kept.queries.insert(hash, query.to_owned()).is_some() {
                return;
            }
            kept.insertion_order.push_back(hash);
            kept.bytes += query.len();
            while kept.queries.len() > MAX_QUERIES || kept.bytes > MAX_BYTES {
                let Some(oldest) = kept.insertion_order.pop_front() else { return };
                kept.bytes -= kept.queries.remove(&oldest).map_or(0, |query| query.len());
            }
        });
    }

    fn with_entries<T>(&self, access: impl FnOnce(&mut Entries) -> T) -> T {
        access(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
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
        assert!((1..=MAX_QUERIES).all(|place| persisted.get(&numbered_hash(place)).is_some()));
        assert_eq!(
            persisted.with_entries(|kept| (kept.insertion_order.len(), kept.bytes)),
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
        assert!((1..11).all(|place| persisted.get(&numbered_hash(place)).is_some()));
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
