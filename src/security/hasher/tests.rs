//! Verification results, and the time that verification takes.

use super::*;
use crate::entropy::SystemEntropy;
use std::time::Duration;

/// A hasher of the lowest cost that Argon2 allows.
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
async fn hash_of_another_cost_needs_rehash() {
    let (cheap, expensive) = (hasher(1), hasher(2));
    let hash = cheap.hash(&secret("x\0y")).await.unwrap();
    let verification =
        async |hasher: &Hasher, password: &str| hasher.verify(&secret(password), Some(&hash)).await.unwrap();
    assert_eq!(verification(&cheap, "x\0y").await, Verification { is_match: true, needs_rehash: false });
    assert_eq!(verification(&expensive, "x\0y").await, Verification { is_match: true, needs_rehash: true });
    for other in ["x", "x\0", "x\0z", ""] {
        assert!(!verification(&cheap, other).await.is_match, "{other:?}");
    }
    assert_ne!(cheap.hash(&secret("x\0y")).await.unwrap(), hash, "salts differ");
}

/// B3
#[tokio::test]
async fn dummy_hash_never_matches() {
    let mut hasher = hasher(1);
    let known = secret("known");
    hasher.dummy_hash = hasher.hash(&known).await.unwrap();
    assert_eq!(hasher.verify(&known, None).await.unwrap(), NO_MATCH);
    let fresh = self::hasher(1);
    assert!(!fresh.verify(&secret(""), Some(&fresh.dummy_hash)).await.unwrap().is_match);
}

/// B2: the dummy hash costs as much as a current hash.
#[tokio::test]
async fn dummy_hash_has_the_configured_cost() {
    let hasher = hasher(2);
    let hash = hasher.hash(&secret("x")).await.unwrap();
    let cost = |hash: &str| hash.split('$').take(4).collect::<Vec<_>>().join("$");
    assert_eq!(cost(&hasher.dummy_hash), cost(&hash));
    assert_eq!(hasher.dummy_hash.len(), hash.len());
}

/// C4: hashes of older services are of the raw input, and are replaced with one of NFC.
#[tokio::test]
async fn hash_of_raw_input_matches_and_needs_rehash() {
    let hasher = hasher(1);
    let (composed, decomposed) = ("caf\u{e9}", "cafe\u{301}");
    let mut output = [0; OUTPUT_LENGTH];
    hash_into(&hasher.params, decomposed.as_bytes(), &[7; 16], &mut output, &mut Scratch::new()).unwrap();
    let raw = to_phc_string(&hasher.params, &[7; 16], &output).unwrap();
    let verify = async |text: &str, stored: &str| hasher.verify(&secret(text), Some(stored)).await.unwrap();
    assert_eq!(verify(decomposed, &raw).await, Verification { is_match: true, needs_rehash: true });
    assert!(!verify(composed, &raw).await.is_match, "the raw input is unknown");
    let own = hasher.hash(&secret(decomposed)).await.unwrap();
    for text in [composed, decomposed] {
        assert_eq!(verify(text, &own).await, Verification { is_match: true, needs_rehash: false }, "{text}");
    }
}

/// B2: a wrong password takes the same time, whatever the cost of the account's hash.
#[test]
fn cheap_hash_takes_as_long_as_the_dummy_hash() {
    let params = Params::new(19_456, 2, 1, Some(OUTPUT_LENGTH)).unwrap();
    let mut scratch = Scratch::new();
    let (timing, wrong) = (TimingEqualizer::default(), [secret("wrong")]);
    let dummy_hash = to_phc_string(&params, &[1; 16], &[2; OUTPUT_LENGTH]).unwrap();
    let mut time = |stored: &str, candidates: &[SecretString]| {
        let mut times: Vec<Duration> = (0..7)
            .map(|_| {
                let started = thread_cpu_time();
                assert!(!verify_blocking(&params, &timing, candidates, stored, &mut scratch).is_match);
                thread_cpu_time().saturating_sub(started)
            })
            .collect();
        times.sort();
        times[3].as_secs_f64()
    };
    let unknown = time(&dummy_hash, &wrong);
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
    let ratio = time("garbage", &both) / time(&dummy_hash, &both);
    assert!((0.6..1.7).contains(&ratio), "two forms: {ratio}");
}
