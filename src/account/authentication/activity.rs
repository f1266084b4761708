//! Activity of callers, recorded without a login.

use chrono::{DateTime, Utc};

use crate::account::access::rule;
use crate::account::caller::rate_limit::limit_own_change;
use crate::account::caller::requester::Requester;
use crate::account::event::audit::AuditEvent;
use crate::account::event::audit_action::AuditAction;
use crate::app::App;
use crate::error::Result;
use crate::store::users;

/// Records activity like a login does, for legacy clients that keep a token. Returns the recorded time.
///
/// # Errors
/// Refuses unauthenticated callers.
pub async fn record_activity(app: &App, requester: &Requester) -> Result<DateTime<Utc>> {
    let caller = requester.authorize(rule::RECORD_ACTIVITY)?;
    let now = app.clock.now();
    limit_own_change(app, caller, rule::RECORD_ACTIVITY, now).await?;
    app.write_as(requester, rule::RECORD_ACTIVITY, now, async |tx, caller| {
        users::update_login(&tx, &caller.user, None, now).await?.ok_or_else(users::version_conflict)?;
        tx.record(AuditEvent::success(AuditAction::LoginBump).by_caller(&caller).on_user(&caller.user)).await?;
        tx.commit(now).await
    })
    .await
}
