//! Password hashing on the hashing pool: creates Argon2id hashes, verifies those and the schemes of older services.

use std::sync::Arc;

use argon2::Params;
use secrecy::{ExposeSecret, SecretString};

use super::normalize::nfc;
use super::pool::HashPool;
use super::schemes::argon2id::{Scratch, hash_into, to_phc_string};
use super::schemes::{StoredHash, UnusableHash};
use super::timing::{TimingEqualizer, thread_cpu_time};
use crate::config;
use crate::entropy::Entropy;
use crate::error::{Error, Result};

/// Salt length in bytes (NIST SP 800-63B-4 section 3.1.1.2 requires at least 4, OWASP 16).
const SALT_LENGTH: usize = 16;

/// Hash length in bytes.
const OUTPUT_LENGTH: usize = 32;

/// Result of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verification {
    /// The password matches the stored hash.
    pub is_match: bool,
    /// The stored hash uses other parameters, another scheme or text that is not NFC: hash again while the password is
    /// known.
    pub needs_rehash: bool,
}

const NO_MATCH: Verification = Verification { is_match: false, needs_rehash: false };

/// Hashes and verifies passwords.
pub struct Hasher {
    pool: Arc<HashPool>,
    params: Params,
    entropy: Arc<dyn Entropy>,
    dummy_hash: String,
    timing: Arc<TimingEqualizer>,
}

impl Hasher {
    /// Creates a hasher with the configured cost, and a dummy hash of that cost.
    ///
    /// # Errors
    /// If the cost is out of Argon2's range.
    pub fn new(settings: &config::Password, pool: Arc<HashPool>, entropy: Arc<dyn Entropy>) -> Result<Self> {
        let params = Params::new(
            settings.argon2_memory_kib,
            settings.argon2_iterations,
            settings.argon2_parallelism,
            Some(OUTPUT_LENGTH),
        )
        .map_err(Error::internal)?;
        // No password is known for it, and the result of verifying against it is ignored.
        let dummy_hash = to_phc_string(&params, &entropy.bytes::<SALT_LENGTH>(), &entropy.bytes::<OUTPUT_LENGTH>())?;
        Ok(Self { pool, params, entropy, dummy_hash, timing: Arc::default() })
    }

    /// Rejects early, before other work is done, if the queue is full.
    ///
    /// # Errors
    /// [`Error::ServerBusy`].
    pub fn check_capacity(&self) -> Result<()> {
        self.pool.check_capacity()
    }

    /// Number of jobs passed to the hashing threads: hashes and password estimates.
    pub fn jobs(&self) -> u64 {
        self.pool.jobs()
    }

    /// Hashes `password` with a fresh salt; returns a PHC string.
    ///
    /// # Errors
    /// [`Error::ServerBusy`].
    pub async fn hash(&self, password: &SecretString) -> Result<String> {
        let password = normalized(password);
        let params = self.params.clone();
        let salt = self.entropy.bytes::<SALT_LENGTH>();
        self.pool
            .run(move |scratch| {
                let mut output = [0; OUTPUT_LENGTH];
                hash_into(&params, password.expose_secret().as_bytes(), &salt, &mut output, scratch)?;
                to_phc_string(&params, &salt, &output)
            })
            .await?
    }

    /// Verifies `password` against `stored`. Without a stored hash it does the same work on the dummy hash and returns
    /// no match, so that unknown accounts take the same time (OWASP Authentication Cheat Sheet).
    ///
    /// # Errors
    /// [`Error::ServerBusy`]. A stored hash that cannot be used is no match.
    pub async fn verify(&self, password: &SecretString, stored: Option<&str>) -> Result<Verification> {
        let candidates = candidates(password);
        let (params, timing) = (self.params.clone(), Arc::clone(&self.timing));
        let has_stored_hash = stored.is_some();
        let stored = stored.unwrap_or(&self.dummy_hash).to_owned();
        let verification =
            self.pool.run(move |scratch| verify_blocking(&params, &timing, &candidates, &stored, scratch)).await?;
        Ok(if has_stored_hash { verification } else { NO_MATCH })
    }
}

/// NFC, so that the same characters typed on another device are the same password (NIST SP 800-63B-4 3.1.1.2).
fn normalized(password: &SecretString) -> SecretString {
    nfc(password.expose_secret()).into_owned().into()
}

/// Byte strings that the stored hash may be of: the NFC form, and the raw input, because older services did not
/// normalize (C4).
fn candidates(password: &SecretString) -> Vec<SecretString> {
    let normalized = normalized(password);
    if normalized.expose_secret() == password.expose_secret() {
        vec![normalized]
    } else {
        vec![normalized, password.clone()]
    }
}

/// Verifies every candidate, whatever the first one gave, and pads the time of a cheaper hash: neither may distinguish
/// an account from the dummy hash.
fn verify_blocking(
    current: &Params,
    timing: &TimingEqualizer,
    candidates: &[SecretString],
    stored: &str,
    scratch: &mut Scratch,
) -> Verification {
    let started = thread_cpu_time();
    let count = u32::try_from(candidates.len()).unwrap_or(u32::MAX);
    let stored = StoredHash::parse(stored).inspect_err(|why| warn_unusable(*why));
    let found: Vec<bool> = match &stored {
        Ok(stored) => candidates.iter().map(|candidate| stored.matches(candidate.expose_secret(), scratch)).collect(),
        Err(_) => Vec::new(),
    };
    let spent = thread_cpu_time().saturating_sub(started);
    let is_current = matches!(&stored, Ok(StoredHash::Argon2id(hash)) if hash.has_params(current));
    if is_current {
        timing.record(spent, count);
    } else {
        timing.pad(spent, count, current, scratch);
    }
    // A hash of the raw input is replaced with one of its NFC form.
    let is_nfc = found.first() == Some(&true);
    Verification { is_match: found.contains(&true), needs_rehash: stored.is_ok() && !(is_current && is_nfc) }
}

fn warn_unusable(why: UnusableHash) {
    tracing::warn!(why = why.explanation(), "stored password hash is unusable");
}

#[cfg(test)]
mod tests;
