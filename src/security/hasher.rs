//! Argon2id: makes password hashes and verifies them, on the hashing pool.

use std::sync::Arc;

use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use icu_normalizer::ComposingNormalizer;
use secrecy::{ExposeSecret, SecretString};

use super::pool::{Memory, Pool};
use crate::config;
use crate::entropy::Entropy;
use crate::error::{Error, Result};

/// Salt length in bytes (NIST SP 800-63B-4 section 3.1.1.2 asks for at least 4, OWASP for 16).
const SALT_LENGTH: usize = 16;

/// Hash length in bytes.
const OUTPUT_LENGTH: usize = 32;

/// The dearest stored hash that is verified at all, so that a poisoned row cannot stop the service.
const MAX_MEMORY_KIB: u32 = 262_144;
const MAX_ITERATIONS: u32 = 10;
const MAX_PARALLELISM: u32 = 16;

/// What a verification found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The password is the stored one.
    pub matches: bool,
    /// The stored hash has other parameters than a new one would get: hash again while the password is known.
    pub outdated: bool,
}

const REFUSED: Verdict = Verdict { matches: false, outdated: false };

/// Hashes and verifies passwords.
pub struct Hasher {
    pool: Arc<Pool>,
    params: Params,
    entropy: Arc<dyn Entropy>,
    decoy: String,
}

impl Hasher {
    /// A hasher with the configured cost, and a decoy at that cost.
    ///
    /// # Errors
    /// When the cost is outside what Argon2 knows.
    pub fn new(settings: &config::Password, pool: Arc<Pool>, entropy: Arc<dyn Entropy>) -> Result<Self> {
        let params = Params::new(
            settings.argon2_memory_kib,
            settings.argon2_iterations,
            settings.argon2_parallelism,
            Some(OUTPUT_LENGTH),
        )
        .map_err(Error::internal)?;
        // No password is known for it, and what comes of verifying against it is never believed.
        let decoy = phc(&params, &entropy.bytes(), &entropy.bytes::<OUTPUT_LENGTH>())?;
        Ok(Self { pool, params, entropy, decoy })
    }

    /// The hash of `password` as a PHC string with a fresh salt.
    ///
    /// # Errors
    /// Internal ones only.
    pub async fn hash(&self, password: &SecretString) -> Result<String> {
        let password = normalise(password);
        let params = self.params.clone();
        let salt = self.entropy.bytes::<SALT_LENGTH>();
        self.pool
            .run(move |memory| {
                let mut output = [0; OUTPUT_LENGTH];
                compute(&params, password.expose_secret().as_bytes(), &salt, &mut output, memory)?;
                phc(&params, &salt, &output)
            })
            .await?
    }

    /// Whether `password` is the one behind `stored`. Without a stored hash the same work is done on a decoy and the
    /// answer is no, so that unknown accounts cost the same time (OWASP Authentication Cheat Sheet).
    ///
    /// # Errors
    /// Internal ones only; a stored hash that cannot be used is a no.
    pub async fn verify(&self, password: &SecretString, stored: Option<&str>) -> Result<Verdict> {
        let password = normalise(password);
        let params = self.params.clone();
        let known = stored.is_some();
        let stored = stored.unwrap_or(&self.decoy).to_owned();
        let verdict =
            self.pool.run(move |memory| check(&params, password.expose_secret().as_bytes(), &stored, memory)).await?;
        Ok(if known { verdict } else { REFUSED })
    }
}

/// NFC, so that the same characters typed on another machine are the same password (NIST SP 800-63B-4 3.1.1.2).
fn normalise(password: &SecretString) -> SecretString {
    ComposingNormalizer::new_nfc().normalize(password.expose_secret()).into_owned().into()
}

fn check(current: &Params, password: &[u8], stored: &str, memory: &mut Memory) -> Verdict {
    let Ok(hash) = PasswordHash::new(stored) else { return unusable("not a PHC string") };
    let (Ok(params), Some(salt), Some(expected)) = (Params::try_from(&hash), hash.salt, hash.hash) else {
        return unusable("incomplete");
    };
    let known = hash.algorithm.as_str() == Algorithm::Argon2id.as_str() && hash.version == Some(Version::V0x13.into());
    if !known || expected.len() != OUTPUT_LENGTH {
        return unusable("another algorithm");
    }
    if params.m_cost() > MAX_MEMORY_KIB || params.t_cost() > MAX_ITERATIONS || params.p_cost() > MAX_PARALLELISM {
        return unusable("too dear");
    }
    let mut output = [0; OUTPUT_LENGTH];
    if compute(&params, password, &salt, &mut output, memory).is_err() {
        return unusable("not computable");
    }
    // `Output` compares in constant time.
    let matches = Output::new(&output).is_ok_and(|output| output == expected);
    let outdated =
        (params.m_cost(), params.t_cost(), params.p_cost()) != (current.m_cost(), current.t_cost(), current.p_cost());
    Verdict { matches, outdated }
}

fn unusable(why: &'static str) -> Verdict {
    tracing::warn!(why, "a stored password hash cannot be used");
    REFUSED
}

fn compute(params: &Params, password: &[u8], salt: &[u8], output: &mut [u8], memory: &mut Memory) -> Result<()> {
    let blocks = params.block_count();
    if memory.len() < blocks {
        memory.resize(blocks, Block::new());
    }
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
        .hash_password_into_with_memory(password, salt, output, memory)
        .map_err(Error::internal)
}

fn phc(params: &Params, salt: &[u8; SALT_LENGTH], output: &[u8]) -> Result<String> {
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: params.try_into().map_err(Error::internal)?,
        salt: Some(Salt::new(salt).map_err(Error::internal)?),
        hash: Some(Output::new(output).map_err(Error::internal)?),
    };
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    /// A hasher as cheap as Argon2 allows.
    fn hasher(iterations: u32) -> Hasher {
        let mut settings = config::Config::load(config::Flags::default(), []).unwrap().password;
        (settings.argon2_memory_kib, settings.argon2_iterations) = (16, iterations);
        let pool = Pool::start(std::num::NonZeroUsize::new(1)).unwrap();
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
        assert_eq!(verdict(&cheap, "x\0y").await, Verdict { matches: true, outdated: false });
        assert_eq!(verdict(&dear, "x\0y").await, Verdict { matches: true, outdated: true });
        for other in ["x", "x\0", "x\0z", ""] {
            assert!(!verdict(&cheap, other).await.matches, "{other:?}");
        }
        assert_ne!(cheap.hash(&secret("x\0y")).await.unwrap(), hash, "salts differ");
    }

    /// B3
    #[tokio::test]
    async fn never_believes_the_decoy() {
        let mut hasher = hasher(1);
        let known = secret("known");
        hasher.decoy = hasher.hash(&known).await.unwrap();
        assert_eq!(hasher.verify(&known, None).await.unwrap(), REFUSED);
        let fresh = self::hasher(1);
        assert!(!fresh.verify(&secret(""), Some(&fresh.decoy)).await.unwrap().matches);
    }

    /// B2: the decoy costs what a hash of now costs.
    #[tokio::test]
    async fn makes_the_decoy_of_the_configured_cost() {
        let hasher = hasher(2);
        let hash = hasher.hash(&secret("x")).await.unwrap();
        let cost = |hash: &str| hash.split('$').take(4).collect::<Vec<_>>().join("$");
        assert_eq!(cost(&hasher.decoy), cost(&hash));
        assert_eq!(hasher.decoy.len(), hash.len());
    }

    /// C8: the limits themselves are still computed, one past them is not.
    #[test]
    fn computes_nothing_dearer_than_its_bounds() {
        let params = Params::new(16, 1, 1, Some(OUTPUT_LENGTH)).unwrap();
        let mut memory = Memory::new();
        for (m, t, p) in [(262_145, 1, 1), (16, 11, 1), (1_024, 1, 17), (u32::MAX, 1, 1), (16, u32::MAX, 1)] {
            let salt = "A".repeat(22);
            let stored = format!("$argon2id$v=19$m={m},t={t},p={p}${salt}${}", "A".repeat(43));
            assert_eq!(check(&params, b"x", &stored, &mut memory), REFUSED, "{stored}");
            assert!(memory.is_empty(), "no memory was taken for {stored}");
        }
        let dearest = format!("$argon2id$v=19$m=16,t=10,p=2${}${}", "A".repeat(22), "A".repeat(43));
        assert!(check(&params, b"x", &dearest, &mut memory).outdated);
    }
}
