//! Rate limits, backoff after failed logins, and quotas of open streams.

use chrono::TimeDelta;

pub mod backoff;
mod bounded_map;
pub mod counted_slots;
pub mod failure_windows;
pub mod key;
pub mod rate_limits;
pub mod stream_quota;
pub mod token_bucket;
pub mod unknown_names;

/// Largest accepted clock difference between concurrent requests or nodes.
const MAX_CLOCK_SKEW: TimeDelta = TimeDelta::minutes(1);
