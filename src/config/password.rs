//! What passwords must be like, and what hashing one costs.

use std::num::NonZeroUsize;

use super::reader::Reader;

/// Password rules and Argon2id's cost.
#[derive(Clone, Copy, Debug)]
pub struct Password {
    /// Characters a new password needs, 8 to 64. OWASP ASVS 5.0 6.2.1 asks for 8 and recommends 15;
    /// NIST SP 800-63B-4 section 3.1.1.2 asks for 15 where nothing but the password is asked, and
    /// has 64 accepted.
    pub min_length: usize,
    /// The zxcvbn score a new password needs, 1 to 4.
    pub min_score: u8,
    /// Memory of one hash, in KiB.
    pub argon2_memory_kib: u32,
    /// Passes over that memory.
    pub argon2_iterations: u32,
    /// Lanes of one hash.
    pub argon2_parallelism: u32,
    /// Threads that hash passwords; `None`: one for each core.
    pub hash_threads: Option<NonZeroUsize>,
}

/// The least memory in KiB for a number of iterations: OWASP ASVS 5.0 appendix C, Argon2id.
const MIN_ARGON2_COSTS: [(u32, u32); 3] = [(47_104, 1), (19_456, 2), (12_288, 3)];

impl Password {
    /// The ceilings are ours: a poisoned setting must not stop the service, hash by hash.
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
                format!("{memory} KiB with password.argon2_iterations = {iterations} is too cheap to guess against"),
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
