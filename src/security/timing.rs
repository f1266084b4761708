//! What one hash of the configured cost takes, so that whatever takes less can be made to take the same.
//!
//! Hashes that were imported, or made before the cost was raised, are often cheaper than the decoy that stands for an
//! unknown account: without this the time of a refused login would tell who exists (promise B2). The time is that of
//! the processor, which does not grow when others use it, too.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use argon2::Params;
use rustix::time::{ClockId, clock_gettime};

use super::pool::Scratch;
use super::schemes::argon2id::hash_into;

/// Less than this is not made up: Argon2 has no smaller steps.
const MIN_PADDING_KIB: u32 = 16;

/// The time that one hash took last.
#[derive(Debug, Default)]
pub struct TimingEqualizer {
    hash_nanoseconds: AtomicU64,
}

/// The processor time of this thread.
pub fn thread_cpu_time() -> Duration {
    // The clock counts up from the thread's start.
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap_or_default()
}

impl TimingEqualizer {
    /// Takes note of the time that `count` hashes of the configured cost took.
    pub fn record(&self, spent: Duration, count: u32) {
        let one = (spent / count.max(1)).as_nanos();
        self.hash_nanoseconds.store(u64::try_from(one).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Works for as long as `count` hashes with `params` take, less what was `spent` already.
    pub fn pad(&self, spent: Duration, count: u32, params: &Params, memory: &mut Scratch) {
        let mut spent = spent;
        for _ in 0..count {
            let one = Duration::from_nanos(self.hash_nanoseconds.load(Ordering::Relaxed));
            if one.is_zero() {
                // None was computed yet.
                let begun = thread_cpu_time();
                hash_padding(params, params.m_cost(), memory);
                self.record(thread_cpu_time().saturating_sub(begun), 1);
                continue;
            }
            let missing = one.saturating_sub(spent);
            spent = spent.saturating_sub(one);
            hash_padding(params, proportion(params.m_cost(), missing, one), memory);
        }
    }
}

/// As much of `whole` as `part` is of `time`.
fn proportion(whole: u32, part: Duration, time: Duration) -> u32 {
    let share = u128::from(whole) * part.as_nanos() / time.as_nanos().max(1);
    u32::try_from(share).unwrap_or(whole)
}

/// Argon2's time is proportional to its memory.
fn hash_padding(params: &Params, memory_kib: u32, memory: &mut Scratch) {
    let least = params.p_cost() * 8;
    if memory_kib < MIN_PADDING_KIB.max(least) {
        return;
    }
    let Ok(params) = Params::new(memory_kib, params.t_cost(), params.p_cost(), params.output_len()) else { return };
    // Nobody needs the result.
    hash_into(&params, b"", &[0; 16], &mut [0; 32], memory).ok();
}
