//! Rate limits, backoff after failed logins, and quotas of open streams.

pub mod backoff;
pub mod failure_windows;
pub mod rate_limits;
pub mod stream_quota;
pub mod token_bucket;
pub mod unknown_names;
