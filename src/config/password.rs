//! Password policy and hashing cost.

use std::num::NonZeroUsize;

use super::reader::Reader;

/// Password policy and the cost of Argon2id.
#[derive(Clone, Copy, Debug)]
pub struct Password {
    /// Minimum length of a new password in characters, 8 to 64. OWASP ASVS 5.0 6.2.1 requires 8 and recommends 15; NIST
    /// SP 800-63B-4 section 3.1.1.2 requires 15 for single-factor authentication, and that 64 be accepted.
    pub min_length: usize,
    /// Minimum zxcvbn score of a new password, 1 to 4.
    pub min_score: u8,
    /// Memory per hash, in KiB.
    pub argon2_memory_kib: u32,
    /// Passes over the memory.
    pub argon2_iterations: u32,
    /// Lanes per hash.
    pub argon2_parallelism: u32,
    /// Hashing threads; `None` means one per core.
    pub hash_threads: Option<NonZeroUsize>,
}

/// Minimum memory in KiB per number of iterations: OWASP ASVS 5.0 appendix C, Argon2id.
const MIN_ARGON2_COSTS: [(u32, u32); 3] = [(47_104, 1), (19_456, 2), (12_288, 3)];

impl Password {
    /// The upper bounds are ours: a wrong setting must not stop the service with each hash.
    pub(super) fn read(reader: &mut Reader) -> Option<Password> {
        let min_length = reader.integer("password.min_length", 8..=64);
        let min_score = reader.integer("password.min_score", 1..=4);
        let memory = reader.integer("password.argon2_memory_kib", 12_288..=262_144);
        let iterations = reader.integer("password.argon2_iterations", 1..=10);
        let parallelism = reader.integer("password.argon2_parallelism", 1..=16);
        let hash_threads = reader.integer("password.hash_threads", 0..=1024);
        if let (Some(memory), Some(iterations)) = (memory, iterations)
            && !MIN_ARGON2_COSTS.iter().any(|(kib, passes)| memory >= *kib && iterations >= *passes)
        {
            reader.reject(
                "password.argon2_memory_kib",
                format!("{memory} KiB with password.argon2_iterations = {iterations} is too cheap against guessing"),
                "use at least 47104 with 1 iteration, 19456 with 2 or 12288 with 3 (OWASP ASVS 5.0, appendix C)"
                    .to_owned(),
            );
        }
        Some(Password {
            min_length: min_length?,
            min_score: min_score?,
            argon2_memory_kib: memory?,
            argon2_iterations: iterations?,
            argon2_parallelism: parallelism?,
            hash_threads: NonZeroUsize::new(hash_threads?),
        })
    }
}
