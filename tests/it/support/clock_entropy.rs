//! Deterministic clock and entropy.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use accountd::clock::Clock;
use accountd::entropy::Entropy;
use chrono::{DateTime, TimeDelta, Utc};

/// A clock that changes only by [`Self::advance`].
pub struct ManualClock(pub(super) Mutex<DateTime<Utc>>);

impl ManualClock {
    pub fn advance(&self, time: TimeDelta) {
        *self.0.lock().unwrap() += time;
    }

    pub fn current(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

/// Bytes that never repeat within a test, and are the same in the next run.
pub(super) struct CountingEntropy(pub(super) AtomicU64);

impl Entropy for CountingEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            // The multiplier spreads the count over all bytes (Knuth's multiplicative hashing).
            let count = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            chunk.copy_from_slice(&count.to_be_bytes()[..chunk.len()]);
        }
    }
}
