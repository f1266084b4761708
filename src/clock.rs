//! Time as an argument: nothing else in the program reads the wall clock.

use chrono::{DateTime, SubsecRound, Utc};

/// Source of the current time; tests use one that stands still.
pub trait Clock: Send + Sync {
    /// The current time in UTC, with millisecond precision like every stored time.
    fn now(&self) -> DateTime<Utc>;
}

/// The system clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(3)
    }
}
