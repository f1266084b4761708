//! Counter keys of login names, known or unknown: the keyed hash, without database access.
//! `account/authentication/unknown_names.rs` bounds the number of stored counters.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::hmac::{self, HMAC_SHA256};

/// New counters after which their number is checked.
const TRIM_INTERVAL: u64 = 1_000;

/// Derives counter keys by a keyed hash (HMAC-SHA-256): the input may be a password in the wrong field, and a reader of
/// the database cannot guess it without the server's secret.
pub struct UnknownNames {
    key: hmac::Key,
    added: AtomicU64,
}

impl UnknownNames {
    /// Prefix of the counter keys of names.
    const NAME_PREFIX: &str = "name:";

    /// Prefix of the dummy lockout counters of unknown names.
    const DUMMY_PREFIX: &str = "nobody:";

    /// Prefixes of all counter keys.
    pub const PREFIXES: [&str; 2] = [Self::NAME_PREFIX, Self::DUMMY_PREFIX];

    /// Takes the key of the keyed hash, which all nodes derive from the server's secret.
    pub fn new(key: &[u8; 32]) -> Self {
        Self { key: hmac::Key::new(HMAC_SHA256, key), added: AtomicU64::new(0) }
    }

    /// The counter key of a name.
    pub fn counter_key(&self, name: &str) -> String {
        format!("{}{}", Self::NAME_PREFIX, self.mac_hex(name))
    }

    /// The dummy lockout counter of an unknown name: it costs the same work as an account's.
    pub fn dummy_lockout_key(&self, name: &str) -> String {
        format!("{}{}", Self::DUMMY_PREFIX, self.mac_hex(name))
    }

    fn mac_hex(&self, name: &str) -> String {
        let mut digits = hex::encode(hmac::sign(&self.key, name.as_bytes()));
        digits.truncate(32);
        digits
    }

    /// Counts a counter that was added to the database; true when their number must be checked.
    pub fn count_added(&self) -> bool {
        self.added.fetch_add(1, Ordering::Relaxed) % TRIM_INTERVAL == TRIM_INTERVAL - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counter_key_depends_on_the_key_and_hides_the_name() {
        let of = |key: u8, name: &str| UnknownNames::new(&[key; 32]).counter_key(name);
        assert_eq!(of(1, "eve"), of(1, "eve"));
        assert_ne!(of(1, "eve"), of(2, "eve"));
        assert_ne!(of(1, "eve"), of(1, "adam"));
        assert!(!of(1, "eve").contains("eve"));
        assert_eq!(of(1, "eve").len(), 37);
    }
}
