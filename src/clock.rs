//! Time, as an argument: nothing else in the program reads the wall clock.

use chrono::{DateTime, SubsecRound, Utc};

/// Tells the time; tests bring one that stands still.
pub trait Clock: Send + Sync {
    /// The present instant in UTC, to the millisecond (the precision of every stored time).
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(3)
    }
}
