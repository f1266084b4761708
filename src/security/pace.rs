//! What one hash of the configured cost takes, so that whatever takes less can be made to take the same.
//!
//! Hashes that were imported, or made before the cost was raised, are often cheaper than the decoy that stands for an
//! unknown account: without this the time of a refused login would tell who exists (promise B2). The time is that of
//! the processor, which does not grow when others use it, too.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use argon2::Params;
use rustix::time::{ClockId, clock_gettime};

use super::pool::Memory;
use super::stored::argon2id::compute;

/// Less than this is not made up: Argon2 has no smaller steps.
const NEGLIGIBLE: u32 = 16;

/// The time that one hash took last.
#[derive(Debug, Default)]
pub struct Pace {
    nanoseconds: AtomicU64,
}

/// The processor time of this thread.
pub fn processor_time() -> Duration {
    // The clock counts up from the thread's start.
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap_or_default()
}

impl Pace {
    /// Takes note of the time that `count` hashes of the configured cost took.
    pub fn note(&self, spent: Duration, count: u32) {
        let one = (spent / count.max(1)).as_nanos();
        self.nanoseconds.store(u64::try_from(one).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Works for as long as `count` hashes with `params` take, less what was `spent` already.
    pub fn make_up(&self, spent: Duration, count: u32, params: &Params, memory: &mut Memory) {
        let mut spent = spent;
        for _ in 0..count {
            let one = Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed));
            if one.is_zero() {
                // None was computed yet.
                let begun = processor_time();
                work(params, params.m_cost(), memory);
                self.note(processor_time().saturating_sub(begun), 1);
                continue;
            }
            let missing = one.saturating_sub(spent);
            spent = spent.saturating_sub(one);
            work(params, share(params.m_cost(), missing, one), memory);
        }
    }
}

/// As much of `whole` as `part` is of `time`.
fn share(whole: u32, part: Duration, time: Duration) -> u32 {
    let share = u128::from(whole) * part.as_nanos() / time.as_nanos().max(1);
    u32::try_from(share).unwrap_or(whole)
}

/// Argon2's time is proportional to its memory.
fn work(params: &Params, memory_kib: u32, memory: &mut Memory) {
    let least = params.p_cost() * 8;
    if memory_kib < NEGLIGIBLE.max(least) {
        return;
    }
    let Ok(params) = Params::new(memory_kib, params.t_cost(), params.p_cost(), params.output_len()) else { return };
    // Nobody needs the result.
    compute(&params, b"", &[0; 16], &mut [0; 32], memory).ok();
}
