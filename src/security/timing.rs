//! Equal verification times: pads a cheaper hash to the time of one at the configured cost.
//!
//! Imported hashes, and those from before the cost was raised, are often cheaper than the dummy hash of unknown
//! accounts. Without padding, the time of a failed login would reveal which accounts exist (promise B2). It is measured
//! as CPU time, which load by other threads does not change.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use argon2::Params;
use rustix::time::{ClockId, clock_gettime};

use super::schemes::argon2id::{Scratch, hash_into};

/// Less memory than this is not padded: Argon2 has no smaller steps.
const MIN_PADDING_KIB: u32 = 16;

/// The time of the last hash at the configured cost.
#[derive(Debug, Default)]
pub struct TimingEqualizer {
    hash_nanoseconds: AtomicU64,
}

/// The CPU time of this thread.
pub fn thread_cpu_time() -> Duration {
    // The clock counts up from the thread's start.
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap_or_default()
}

impl TimingEqualizer {
    /// Records the CPU time that `count` hashes at the configured cost took.
    pub fn record(&self, spent: Duration, count: u32) {
        let one = (spent / count.max(1)).as_nanos();
        self.hash_nanoseconds.store(u64::try_from(one).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Computes for as long as `count` hashes with `params` take, less the time already `spent`.
    pub fn pad(&self, spent: Duration, count: u32, params: &Params, scratch: &mut Scratch) {
        let mut spent = spent;
        for _ in 0..count {
            let one = Duration::from_nanos(self.hash_nanoseconds.load(Ordering::Relaxed));
            if one.is_zero() {
                // No hash was measured yet.
                let started = thread_cpu_time();
                hash_padding(params, params.m_cost(), scratch);
                self.record(thread_cpu_time().saturating_sub(started), 1);
                continue;
            }
            let missing = one.saturating_sub(spent);
            spent = spent.saturating_sub(one);
            hash_padding(params, proportion(params.m_cost(), missing, one), scratch);
        }
    }
}

/// The share of `whole` that `part` is of `time`.
fn proportion(whole: u32, part: Duration, time: Duration) -> u32 {
    let share = u128::from(whole) * part.as_nanos() / time.as_nanos().max(1);
    u32::try_from(share).unwrap_or(whole)
}

/// Argon2's time is proportional to its memory.
fn hash_padding(params: &Params, memory_kib: u32, scratch: &mut Scratch) {
    let minimum = params.p_cost() * 8;
    if memory_kib < MIN_PADDING_KIB.max(minimum) {
        return;
    }
    let Ok(params) = Params::new(memory_kib, params.t_cost(), params.p_cost(), params.output_len()) else { return };
    // The result is not needed.
    hash_into(&params, b"", &[0; 16], &mut [0; 32], scratch).ok();
}
