//! Sessions listed for their owner, and revoked one by one.

use entity::session::{self, EndReason};
use entity::user;

use super::session_end::end;
use crate::account::access::rule;
use crate::account::caller::rate_limit::limit_own_change;
use crate::account::caller::requester::Requester;
use crate::account::caller::user_action::{self, UserAction};
use crate::account::event::audit::AuditEvent;
use crate::account::event::audit_action::AuditAction;
use crate::account::names::id::SessionId;
use crate::account::pagination::{self, PageRequest, RowFilter, Slice};
use crate::app::App;
use crate::error::{Refusal, RefusalCode, Result};
use crate::store::sessions;

/// One page of the sessions of `owner`, newest first.
///
/// # Errors
/// Refuses callers who are neither the owner nor holders of the permission.
pub async fn list(
    app: &App,
    requester: &Requester,
    owner: &user::Model,
    filter: RowFilter,
    request: PageRequest,
) -> Result<Slice<session::Model>> {
    requester.authorize_for(rule::READ_SESSIONS, owner)?;
    let live_at = filter.is_active_only().then(|| app.clock.now());
    let query = request.to_query(pagination::CursorKind::Integer)?;
    let rows = sessions::list(app.db.reader(), owner.id, live_at, &query).await?;
    Ok(request.slice(rows, |row| pagination::cursor(&sessions::cursor_key(row))))
}

/// The number of sessions of `owner`.
///
/// # Errors
/// Refuses callers who are neither the owner nor holders of the permission.
pub async fn count(app: &App, requester: &Requester, owner: &user::Model, filter: RowFilter) -> Result<u64> {
    requester.authorize_for(rule::READ_SESSIONS, owner)?;
    let live_at = filter.is_active_only().then(|| app.clock.now());
    sessions::count(app.db.reader(), owner.id, live_at).await
}

/// The session with this id and its owner, if visible to the caller.
///
/// # Errors
/// Refuses unauthenticated callers; an invisible session reads as missing.
pub async fn find(app: &App, requester: &Requester, id: SessionId) -> Result<Option<(session::Model, user::Model)>> {
    let caller = requester.authorize(rule::READ_NODE)?;
    let found = sessions::find_with_user(app.db.reader(), caller.scope(rule::READ_SESSIONS), id.uuid()).await?;
    Ok(found.filter(|(_, owner)| requester.authorize_for(rule::READ_SESSIONS, owner).is_ok()))
}

/// Ends one session: the caller's own or, with the permission, that of a user with no more permissions than the caller.
///
/// # Errors
/// Refuses unauthenticated callers, and sessions of users with more permissions; a session out of scope reads as
/// missing.
pub async fn revoke(app: &App, requester: &Requester, id: SessionId) -> Result<(session::Model, user::Model)> {
    let caller = requester.caller()?;
    let now = app.clock.now();
    limit_own_change(app, caller, rule::REVOKE_SESSION, now).await?;
    let missing = || Refusal::new(RefusalCode::NotFound, "there is no such session").for_field("sessionId");
    app.write_as(requester, rule::REVOKE_SESSION, now, async |tx, caller| {
        let scope = caller.scope(rule::REVOKE_SESSION);
        let (session, owner) = sessions::find_with_user(&tx, scope, id.uuid()).await?.ok_or_else(missing)?;
        if !user_action::can_reach(&caller, UserAction::EndSession, &owner) {
            return Err(missing().into());
        }
        user_action::authorize(&tx, &caller, UserAction::EndSession, &owner).await?;
        if end(&tx, &owner, std::slice::from_ref(&session), EndReason::Revoked, now).await? == 1 {
            tx.record(
                AuditEvent::success(AuditAction::SessionRevoke).by_caller(&caller).on_user(&owner).in_session(&session),
            )
            .await?;
        }
        let session = sessions::find(&tx, id.uuid()).await?.ok_or_else(missing)?;
        tx.commit((session, owner)).await
    })
    .await
}
