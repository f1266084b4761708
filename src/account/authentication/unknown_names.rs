//! Bounds the number of stored counters of login names; `limits/unknown_names.rs` derives their keys.
//!
//! Known and unknown names have the same counters, so that neither a lockout nor a restart reveals which users exist
//! (promise B5). Users have their own counters.

use crate::app::App;
use crate::error::Result;
use crate::limits::unknown_names::UnknownNames;
use crate::store::throttles;

/// Maximum counters of names, and of the dummy lockouts of unknown names.
pub const MAX_COUNTERS: u64 = 100_000;

/// Maximum counters deleted per statement.
const BATCH_SIZE: u64 = 500;

/// Records an added counter; occasionally deletes the surplus in a separate task, because a slower response would
/// reveal that the name is new.
pub(in crate::account) fn record_added(app: &App) {
    if app.rate_limits.unknown_names.count_added() {
        let app = app.clone();
        tokio::spawn(async move {
            if let Err(error) = delete_surplus(&app, MAX_COUNTERS).await {
                tracing::warn!(%error, "cannot delete counters of names");
            }
        });
    }
}

/// Deletes counters of names down to `limit` of each kind, longest unblocked first. Returns how many were deleted.
pub async fn delete_surplus(app: &App, limit: u64) -> Result<u64> {
    let mut deleted = 0;
    for prefix in UnknownNames::PREFIXES {
        let mut surplus = throttles::count(app.db.reader(), prefix).await?.saturating_sub(limit);
        while surplus > 0 {
            let batch = surplus.min(BATCH_SIZE);
            let gone =
                app.db.retry(|| throttles::delete_least_recently_blocked(app.db.writer(), prefix, batch)).await?;
            if gone == 0 {
                break;
            }
            deleted += gone;
            surplus = surplus.saturating_sub(gone);
        }
    }
    Ok(deleted)
}
