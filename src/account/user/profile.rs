//! The profile: changes that users make to their own account without a password.

use entity::user;

use super::update::UpdateUser;
use crate::account::access::rule;
use crate::account::caller::rate_limit::{NameCheck, limit_own_change};
use crate::account::caller::requester::Requester;
use crate::account::event::audit::AuditEvent;
use crate::account::event::audit_action::AuditAction;
use crate::account::event::domain_event::DomainEvent;
use crate::app::App;
use crate::error::Result;
use crate::store::users;

/// Changes the caller's own names. Only an administrator changes the e-mail address: access to the mailbox could be
/// enough to take over the account.
///
/// # Errors
/// Refuses unauthenticated callers and usernames that are taken.
pub async fn update(app: &App, requester: &Requester, input: UpdateUser) -> Result<user::Model> {
    let caller = requester.authorize(rule::UPDATE_PROFILE)?;
    let session = caller.require_session()?;
    let now = app.clock.now();
    limit_own_change(app, caller, rule::UPDATE_PROFILE, now).await?;
    let users::Changes { username, display_name, .. } = input.changes();
    let changes = users::Changes { username, display_name, ..users::Changes::default() };
    let name_check = match changes.username {
        Some(_) => Some(NameCheck::reserve(app, &requester.context, now).await?),
        None => None,
    };
    let updated = app
        .write_as(requester, rule::UPDATE_PROFILE, now, async |tx, caller| {
            let user = caller.user;
            if changes.is_noop_for(&user) {
                return Ok(tx.roll_back(user));
            }
            let user = users::update_account(&tx, &user, changes.clone(), now).await?;
            tx.record(
                AuditEvent::success(AuditAction::ProfileUpdate).by_user(&user).on_user(&user).in_session(session),
            )
            .await?;
            tx.emit(DomainEvent::UserUpdated(user.clone()));
            tx.commit(user).await
        })
        .await;
    if let Some(name_check) = name_check {
        name_check.complete(app, updated.as_ref().err()).await;
    }
    updated
}
