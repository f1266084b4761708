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
pub(super) type Hash = [u8; 32];

/// Why an extension `persistedQuery` cannot be followed.
pub(super) enum Unfit {
    /// It is of a version of the protocol that nobody speaks.
    Version,
    /// It is not of the protocol's form.
    Form,
}

/// The hash in an extension `persistedQuery`.
///
/// # Errors
/// When there is none in it.
pub(super) fn hash(extension: &Value) -> Result<Hash, Unfit> {
    match extension.get("version") {
        Some(version) if version.as_u64() == Some(1) => {}
        Some(Value::Number(_)) => return Err(Unfit::Version),
        _ => return Err(Unfit::Form),
    }
    extension.get("sha256Hash").and_then(Value::as_str).and_then(decoded).ok_or(Unfit::Form)
}

fn decoded(hexadecimal: &str) -> Option<Hash> {
    let mut hash = Hash::default();
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
pub(super) fn is_of(hash: &Hash, query: &str) -> bool {
    digest(&SHA256, query.as_bytes()).as_ref() == hash
}

/// The queries that are kept; the oldest goes first, and a client that asks for it sends it again.
#[derive(Default)]
pub(super) struct Persisted(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    queries: HashMap<Hash, String>,
    /// From the oldest to the newest.
    order: VecDeque<Hash>,
    bytes: usize,
}

impl Persisted {
    /// The query with this hash, if it is kept.
    pub fn find(&self, hash: &Hash) -> Option<String> {
        self.kept(|kept| kept.queries.get(hash).cloned())
    }

    /// Keeps a query under its hash, which the caller has checked.
    pub fn keep(&self, hash: Hash, query: &str) {
        self.kept(|kept| {
            if kept.queries.insert(hash, query.to_owned()).is_some() {
                return;
            }
            kept.order.push_back(hash);
            kept.bytes += query.len();
            while kept.queries.len() > MAX_QUERIES || kept.bytes > MAX_BYTES {
                let Some(oldest) = kept.order.pop_front() else { return };
                kept.bytes -= kept.queries.remove(&oldest).map_or(0, |query| query.len());
            }
        });
    }

    fn kept<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(number: usize) -> Hash {
        let mut hash = Hash::default();
        hash[..8].copy_from_slice(&number.to_be_bytes());
        hash
    }

    #[test]
    fn keeps_a_thousand_queries_and_drops_the_oldest() {
        let persisted = Persisted::default();
        for place in 0..=MAX_QUERIES {
            persisted.keep(number(place), "{ me { id } }");
            persisted.keep(number(place), "{ me { id } }");
        }
        assert_eq!(persisted.find(&number(0)), None);
        assert!((1..=MAX_QUERIES).all(|place| persisted.find(&number(place)).is_some()));
        assert_eq!(persisted.kept(|kept| (kept.order.len(), kept.bytes)), (MAX_QUERIES, 13 * MAX_QUERIES));
    }

    #[test]
    fn keeps_four_mebibytes() {
        let (persisted, long) = (Persisted::default(), "x".repeat(MAX_BYTES / 10));
        for place in 0..11 {
            persisted.keep(number(place), &long);
        }
        assert_eq!(persisted.find(&number(0)), None);
        assert!((1..11).all(|place| persisted.find(&number(place)).is_some()));
    }

    #[test]
    fn reads_a_hash_in_either_case() {
        let zeros = "0".repeat(62);
        assert_eq!(decoded(&format!("{zeros}aF")).map(|hash| hash[31]), Some(0xaf));
        for text in ["", "a", &"g".repeat(64), &"0".repeat(63), &"0".repeat(65), &"é".repeat(32)] {
            assert_eq!(decoded(text), None, "{text}");
        }
    }
}
