//! Password hashing: makes Argon2id hashes and verifies those and older ones, on the hashing pool.

use std::sync::Arc;

use argon2::Params;
use secrecy::{ExposeSecret, SecretString};

use super::normalize::nfc;
use super::pool::{HashPool, Scratch};
use super::schemes::argon2id::{hash_into, to_phc_string};
use super::schemes::{StoredHash, UnusableHash};
use super::timing::{TimingEqualizer, thread_cpu_time};
use crate::config;
use crate::entropy::Entropy;
use crate::error::{Error, Result};

/// Salt length in bytes (NIST SP 800-63B-4 section 3.1.1.2 asks for at least 4, OWASP for 16).
const SALT_LENGTH: usize = 16;

/// Hash length in bytes.
const OUTPUT_LENGTH: usize = 32;

/// What a verification found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verification {
    /// The password is the stored one.
    pub is_match: bool,
    /// A new hash would be made in another way: hash again while the password is known.
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
    /// A hasher with the configured cost, and a decoy at that cost.
    ///
    /// # Errors
    /// When the cost is outside what Argon2 knows.
    pub fn new(settings: &config::Password, pool: Arc<HashPool>, entropy: Arc<dyn Entropy>) -> Result<Self> {
        let params = Params::new(
            settings.argon2_memory_kib,
            settings.argon2_iterations,
            settings.argon2_parallelism,
            Some(OUTPUT_LENGTH),
        )
        .map_err(Error::internal)?;
        // No password is known for it, and what comes of verifying against it is never believed.
        let decoy = to_phc_string(&params, &entropy.bytes::<SALT_LENGTH>(), &entropy.bytes::<OUTPUT_LENGTH>())?;
        Ok(Self { pool, params, entropy, dummy_hash: decoy, timing: Arc::default() })
    }

    /// Turns away who could not be served now, before anything else is done for them.
    ///
    /// # Errors
    /// [`Error::Busy`].
    pub fn check_capacity(&self) -> Result<()> {
        self.pool.check_capacity()
    }

    /// How many jobs the hashing threads were given, hashes and judgements of passwords.
    pub fn jobs(&self) -> u64 {
        self.pool.jobs()
    }

    /// The hash of `password` as a PHC string with a fresh salt.
    ///
    /// # Errors
    /// Internal ones only.
    pub async fn hash(&self, password: &SecretString) -> Result<String> {
        let password = normalized(password);
        let params = self.params.clone();
        let salt = self.entropy.bytes::<SALT_LENGTH>();
        self.pool
            .run(move |memory| {
                let mut output = [0; OUTPUT_LENGTH];
                hash_into(&params, password.expose_secret().as_bytes(), &salt, &mut output, memory)?;
                to_phc_string(&params, &salt, &output)
            })
            .await?
    }

    /// Whether `password` is the one behind `stored`. Without a stored hash the same work is done on a decoy and the
    /// answer is no, so that unknown accounts cost the same time (OWASP Authentication Cheat Sheet).
    ///
    /// # Errors
    /// Internal ones only; a stored hash that cannot be used is a no.
    pub async fn verify(&self, password: &SecretString, stored: Option<&str>) -> Result<Verification> {
        let forms = candidates(password);
        let (params, pace) = (self.params.clone(), Arc::clone(&self.timing));
        let known = stored.is_some();
        let stored = stored.unwrap_or(&self.dummy_hash).to_owned();
        let verdict = self.pool.run(move |memory| verify_blocking(&params, &pace, &forms, &stored, memory)).await?;
        Ok(if known { verdict } else { NO_MATCH })
    }
}

/// NFC, so that the same characters typed on another machine are the same password (NIST SP 800-63B-4 3.1.1.2).
fn normalized(password: &SecretString) -> SecretString {
    nfc(password.expose_secret()).into_owned().into()
}

/// What a stored hash may have been made of: NFC, and what was typed, because older services did not normalise (C4).
fn candidates(password: &SecretString) -> Vec<SecretString> {
    let normalised = normalized(password);
    if normalised.expose_secret() == password.expose_secret() {
        vec![normalised]
    } else {
        vec![normalised, password.clone()]
    }
}

/// Tries every form, whatever the first one gave, and makes up for the time that a cheaper hash did not take: neither
/// must tell an account from the decoy.
fn verify_blocking(
    current: &Params,
    pace: &TimingEqualizer,
    forms: &[SecretString],
    stored: &str,
    memory: &mut Scratch,
) -> Verification {
    let begun = thread_cpu_time();
    let count = u32::try_from(forms.len()).unwrap_or(u32::MAX);
    let stored = StoredHash::parse(stored).inspect_err(|why| warn_unusable(*why));
    let found: Vec<bool> = match &stored {
        Ok(stored) => forms.iter().map(|form| stored.matches(form.expose_secret(), memory)).collect(),
        Err(_) => Vec::new(),
    };
    let spent = thread_cpu_time().saturating_sub(begun);
    let is_current = matches!(&stored, Ok(StoredHash::Argon2id(hash)) if hash.has_params(current));
    if is_current {
        pace.record(spent, count);
    } else {
        pace.pad(spent, count, current, memory);
    }
    // A hash of what was typed is made again from NFC.
    let is_normalised = found.first() == Some(&true);
    Verification { is_match: found.contains(&true), needs_rehash: stored.is_ok() && !(is_current && is_normalised) }
}

fn warn_unusable(why: UnusableHash) {
    tracing::warn!(why = why.explanation(), "a stored password hash cannot be used");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;
    use std::time::Duration;

    /// A hasher as cheap as Argon2 allows.
    fn hasher(iterations: u32) -> Hasher {
        let mut settings = config::Config::load(config::Flags::default(), []).unwrap().password;
        (settings.argon2_memory_kib, settings.argon2_iterations) = (16, iterations);
        let pool = HashPool::start(std::num::NonZeroUsize::new(1)).unwrap();
        Hasher::new(&settings, Arc::new(pool), Arc::new(SystemEntropy)).unwrap()
    }

    fn secret(text: &str) -> SecretString {
        text.to_owned().into()
    }

    #[tokio::test]
    async fn verifies_its_own_hashes_and_tells_those_of_another_cost() {
        let (cheap, dear) = (hasher(1), hasher(2));
        let hash = cheap.hash(&secret("x\0y")).await.unwrap();
        let verdict =
            async |hasher: &Hasher, password: &str| hasher.verify(&secret(password), Some(&hash)).await.unwrap();
        assert_eq!(verdict(&cheap, "x\0y").await, Verification { is_match: true, needs_rehash: false });
        assert_eq!(verdict(&dear, "x\0y").await, Verification { is_match: true, needs_rehash: true });
        for other in ["x", "x\0", "x\0z", ""] {
            assert!(!verdict(&cheap, other).await.is_match, "{other:?}");
        }
        assert_ne!(cheap.hash(&secret("x\0y")).await.unwrap(), hash, "salts differ");
    }

    /// B3
    #[tokio::test]
    async fn never_believes_the_decoy() {
        let mut hasher = hasher(1);
        let known = secret("known");
        hasher.dummy_hash = hasher.hash(&known).await.unwrap();
        assert_eq!(hasher.verify(&known, None).await.unwrap(), NO_MATCH);
        let fresh = self::hasher(1);
        assert!(!fresh.verify(&secret(""), Some(&fresh.dummy_hash)).await.unwrap().is_match);
    }

    /// B2: the decoy costs what a hash of now costs.
    #[tokio::test]
    async fn makes_the_decoy_of_the_configured_cost() {
        let hasher = hasher(2);
        let hash = hasher.hash(&secret("x")).await.unwrap();
        let cost = |hash: &str| hash.split('$').take(4).collect::<Vec<_>>().join("$");
        assert_eq!(cost(&hasher.dummy_hash), cost(&hash));
        assert_eq!(hasher.dummy_hash.len(), hash.len());
    }

    /// C4: hashes of older services are of what was typed, and are made again from NFC.
    #[tokio::test]
    async fn takes_a_hash_of_what_was_typed_and_has_it_made_again() {
        let hasher = hasher(1);
        let (composed, decomposed) = ("caf\u{e9}", "cafe\u{301}");
        let mut output = [0; OUTPUT_LENGTH];
        hash_into(&hasher.params, decomposed.as_bytes(), &[7; 16], &mut output, &mut Scratch::new()).unwrap();
        let raw = to_phc_string(&hasher.params, &[7; 16], &output).unwrap();
        let verify = async |text: &str, stored: &str| hasher.verify(&secret(text), Some(stored)).await.unwrap();
        assert_eq!(verify(decomposed, &raw).await, Verification { is_match: true, needs_rehash: true });
        assert!(!verify(composed, &raw).await.is_match, "nobody can tell what was typed then");
        let own = hasher.hash(&secret(decomposed)).await.unwrap();
        for text in [composed, decomposed] {
            assert_eq!(verify(text, &own).await, Verification { is_match: true, needs_rehash: false }, "{text}");
        }
    }

    /// B2: a wrong password costs the same time, whatever the account's hash would take by itself.
    #[test]
    fn spends_on_cheap_hashes_what_the_decoy_costs() {
        let params = Params::new(19_456, 2, 1, Some(OUTPUT_LENGTH)).unwrap();
        let mut memory = Scratch::new();
        let (pace, wrong) = (TimingEqualizer::default(), [secret("wrong")]);
        let decoy = to_phc_string(&params, &[1; 16], &[2; OUTPUT_LENGTH]).unwrap();
        let mut time = |stored: &str, forms: &[SecretString]| {
            let mut times: Vec<Duration> = (0..7)
                .map(|_| {
                    let begun = thread_cpu_time();
                    assert!(!verify_blocking(&params, &pace, forms, stored, &mut memory).is_match);
                    thread_cpu_time().saturating_sub(begun)
                })
                .collect();
            times.sort();
            times[3].as_secs_f64()
        };
        let unknown = time(&decoy, &wrong);
        let half = Params::new(9_728, 2, 1, Some(OUTPUT_LENGTH)).unwrap();
        for known in [
            &to_phc_string(&half, &[1; 16], &[2; OUTPUT_LENGTH]).unwrap(),
            "$pbkdf2-sha1-hexsalt$i=1000$5a9b0a98c5d8d23fc8c69dbcd4e6892b$bf2a17b8d14ad59802f4e4af190ca4ca",
            "$pbkdf2-sha256$29000$mdM6x3hPydkbI4SwlpISYg$qOZbKy7oEJ9FlloQ/6CXrrxYV/UPZG2mx.pSfGRdMGQ",
            "garbage",
        ] {
            let ratio = time(known, &wrong) / unknown;
            assert!((0.6..1.7).contains(&ratio), "{known}: {ratio}");
        }
        let both = [secret("cafe\u{301}"), secret("caf\u{e9}")];
        let ratio = time("garbage", &both) / time(&decoy, &both);
        assert!((0.6..1.7).contains(&ratio), "two forms: {ratio}");
    }
}
