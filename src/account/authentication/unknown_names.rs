//! Counters of the names that logins are tried with, in the database and alike for unknown names, so that neither
//! a lock nor a restart reveals which accounts exist (promise B5). Their number is bounded; accounts have counters of their own.

use crate::app::App;
use crate::error::Result;
use crate::limits::unknown_names::UnknownNames;
use crate::store::throttles;

/// Most counters of names, and of the stand-ins for the accounts of unknown names.
pub const MAX_COUNTERS: u64 = 100_000;

/// Most counters that one statement deletes.
const BATCH_SIZE: u64 = 500;

/// A counter was added: now and then the surplus is deleted, in a task of its own, because an answer that waited for it
/// would tell that the name is new.
pub(in crate::account) fn record_added(app: &App) {
    if app.throttle.unknown_names.count_added() {
        let app = app.clone();
        tokio::spawn(async move {
            if let Err(error) = delete_surplus(&app, MAX_COUNTERS).await {
                tracing::warn!(%error, "cannot delete counters of names");
            }
        });
    }
}

/// Deletes counters of names until there are `most` of each kind, first those that have been free for longest. Tells how
/// many were deleted.
///
/// # Errors
/// Internal ones only.
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
