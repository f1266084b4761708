//! Queries and revocation of API tokens.

use entity::user;

use crate::account::access::rule;
use crate::account::caller::api_token::ApiToken;
use crate::account::caller::rate_limit::limit_own_change;
use crate::account::caller::requester::{Caller, Requester};
use crate::account::caller::user_action::{self, UserAction};
use crate::account::event::audit::AuditEvent;
use crate::account::event::audit_action::AuditAction;
use crate::account::names::id::ApiTokenId;
use crate::account::pagination::{self, PageRequest, RowFilter, Slice};
use crate::app::App;
use crate::error::{Refusal, RefusalCode, Result};
use crate::store::{Connection, api_tokens, users};

/// Revokes a token permanently: an own one in a session, or the presented one, which is its logout. With the permission, also one of a user
/// with no more permissions than the caller. A revoked token stays unchanged.
///
/// # Errors
/// Refuses unauthenticated callers, and tokens of users with more permissions; a token out of scope reads as missing.
pub async fn revoke(app: &App, requester: &Requester, id: ApiTokenId) -> Result<(ApiToken, user::Model)> {
    let caller = requester.authenticated()?;
    let is_presented = caller.api_token().is_some_and(|token| token.id() == id);
    let rule = if is_presented { rule::REVOKE_PRESENTED_API_TOKEN } else { rule::MANAGE_API_TOKENS };
    if !is_presented {
        requester.caller()?;
    }
    let now = app.clock.now();
    limit_own_change(app, caller, rule::MANAGE_API_TOKENS, now).await?;
    app.write_as(requester, rule, now, async |tx, caller| {
        let (token, owner) = match caller.api_token() {
            Some(itself) if itself.id() == id => (itself.row.clone(), caller.user.clone()),
            _ => {
                let (token, owner) = find_manageable(&tx, &caller, id).await?;
                user_action::authorize(&tx, &caller, UserAction::RestrictApiToken, &owner).await?;
                // Waits for concurrent operations with the token, which then fail or are complete.
                users::lock_by_id(&tx, owner.id).await?;
                (api_tokens::lock(&tx, &token.row).await?.ok_or_else(missing)?, owner)
            }
        };
        let revoked = api_tokens::update_revoked(&tx, &token, now).await?;
        if revoked.is_some() {
            tx.record(
                AuditEvent::success(AuditAction::ApiTokenRevoke)
                    .by_caller(&caller)
                    .on_user(&owner)
                    .with("apiToken", id.to_string()),
            )
            .await?;
        }
        tx.commit((revoked.unwrap_or(token).into(), owner)).await
    })
    .await
}

/// The token and its owner. The caller's right to the action is checked separately.
pub(crate) async fn find_manageable(
    db: &impl Connection,
    caller: &Caller,
    id: ApiTokenId,
) -> Result<(ApiToken, user::Model)> {
    let scope = caller.scope(rule::MANAGE_API_TOKENS);
    let (row, owner) = api_tokens::find_with_user(db, scope, id.uuid()).await?.ok_or_else(missing)?;
    if user_action::can_reach(caller, UserAction::RestrictApiToken, &owner) {
        Ok((row.into(), owner))
    } else {
        Err(missing().into())
    }
}

/// The refusal for a token that does not exist or is out of scope.
pub(crate) fn missing() -> Refusal {
    Refusal::new(RefusalCode::NotFound, "there is no such API token").for_field("apiTokenId")
}

/// One page of the tokens of `owner`, newest first.
///
/// # Errors
/// Refuses callers who are neither the owner nor holders of the permission.
pub async fn list(
    app: &App,
    requester: &Requester,
    owner: &user::Model,
    filter: RowFilter,
    request: PageRequest,
) -> Result<Slice<ApiToken>> {
    requester.authorize_for(rule::READ_API_TOKENS, owner)?;
    let usable_at = filter.is_active_only().then(|| app.clock.now());
    let query = request.to_query(pagination::CursorKind::Integer)?;
    let rows = api_tokens::list(app.db.reader(), owner.id, usable_at, &query).await?;
    Ok(request.slice(rows, |row| pagination::cursor(&api_tokens::cursor_key(row))).map(ApiToken::from))
}

/// The number of tokens of `owner`.
///
/// # Errors
/// As [`list`].
pub async fn count(app: &App, requester: &Requester, owner: &user::Model, filter: RowFilter) -> Result<u64> {
    requester.authorize_for(rule::READ_API_TOKENS, owner)?;
    let usable_at = filter.is_active_only().then(|| app.clock.now());
    api_tokens::count(app.db.reader(), owner.id, usable_at).await
}

/// The token with this id, if visible to the caller.
///
/// # Errors
/// Refuses unauthenticated callers; an invisible token reads as missing.
pub async fn find(app: &App, requester: &Requester, id: ApiTokenId) -> Result<Option<ApiToken>> {
    let caller = requester.authorize(rule::READ_NODE)?;
    let scope = caller.scope(rule::READ_API_TOKENS);
    let found = api_tokens::find_with_user(app.db.reader(), scope, id.uuid()).await?;
    let visible = found.filter(|(_, owner)| requester.authorize_for(rule::READ_API_TOKENS, owner).is_ok());
    Ok(visible.map(|(row, _)| row.into()))
}
