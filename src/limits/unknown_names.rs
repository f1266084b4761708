//! Counter keys of login names, known or unknown: the keyed hash, without database access.
//! `account/authentication/unknown_names.rs` bounds the number of stored counters.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use secrecy::{ExposeSecret, SecretString};

use crate::error::{Error, Result};

/// Purpose of the derived key (the `info` of RFC 5869 section 3.2), so that no other use of the secret yields the same
/// key.
const HKDF_INFO: &[u8] = b"accountd unknown names v1";

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

    /// Derives the HMAC key (HKDF-SHA-256, RFC 5869) from the server's secret, which all nodes share.
    pub fn new(secret: &SecretString) -> Result<Self> {
        let mut key = [0; 32];
        Salt::new(HKDF_SHA256, &[])
            .extract(secret.expose_secret().as_bytes())
            .expand(&[HKDF_INFO], HKDF_SHA256)
            .and_then(|output| output.fill(&mut key))
            .map_err(Error::internal)?;
        Ok(Self { key: hmac::Key::new(HMAC_SHA256, &key), added: AtomicU64::new(0) })
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
        let tag = hmac::sign(&self.key, name.as_bytes());
        tag.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
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
    fn counter_key_depends_on_the_secret_and_hides_the_name() {
        let of = |secret: &str, name: &str| UnknownNames::new(&secret.to_owned().into()).unwrap().counter_key(name);
        assert_eq!(of("one", "eve"), of("one", "eve"));
        assert_ne!(of("one", "eve"), of("two", "eve"));
        assert_ne!(of("one", "eve"), of("one", "adam"));
        assert!(!of("one", "eve").contains("eve"));
        assert_eq!(of("one", "eve").len(), 37);
    }
}
