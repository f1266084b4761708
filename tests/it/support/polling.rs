//! Waiting for a condition without a fixed delay.

use std::time::Instant;

use super::TEST_TIMEOUT;

/// Repeats the check until it is true.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + TEST_TIMEOUT;
    while !is_so().await {
        assert!(Instant::now() < deadline, "timeout: {what}");
        tokio::task::yield_now().await;
    }
}
