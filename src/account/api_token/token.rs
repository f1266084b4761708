//! API tokens: what a program acts with in the name of a user, never with more power than the user has at the time.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use entity::{api_token, user};
use sea_orm::ConnectionTrait;

use crate::account::access::authorization::{self, UserAction};
use crate::account::access::rule::{self, Access, Permission};
use crate::account::authentication::password_attempt::limit_own_change;
use crate::account::caller::requester::{Caller, Requester};
use crate::account::event::audit::AuditEvent;
use crate::account::event::unit_of_work::UnitOfWork;
use crate::account::pagination::{self, PageRequest, Slice};
use crate::account::user::id::ApiTokenId;
use crate::app::App;
use crate::error::{Refusal, RefusalCode, Result};
use crate::store::{TenantScope, api_tokens, users};

/// A token without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// Its row.
    pub row: api_token::Model,
    /// What it may do as far as its owner may; nothing stands for all that the owner may.
    pub permissions: Option<BTreeSet<Permission>>,
    /// What it means to others; nothing here looks at it.
    pub scopes: Vec<String>,
}

impl From<api_token::Model> for ApiToken {
    fn from(row: api_token::Model) -> Self {
        // Only this file writes the lists; one that was spoilt by hand allows nothing.
        let list = |text: &str| serde_json::from_str::<Vec<String>>(text).unwrap_or_default();
        let permissions = row.permissions.as_deref().map(list);
        let known = |names: Vec<String>| names.iter().filter_map(|name| Permission::from_name(name)).collect();
        Self { permissions: permissions.map(known), scopes: list(&row.scopes), row }
    }
}

impl ApiToken {
    /// Its public id.
    pub fn id(&self) -> ApiTokenId {
        self.row.uid.into()
    }

    /// Whether it opens anything at `now`, as far as the token itself goes.
    pub(in crate::account) fn is_usable(&self, now: DateTime<Utc>) -> bool {
        let lasts = self.row.expires_at.is_none_or(|end| now < end.utc());
        self.row.enabled && self.row.revoked_at.is_none() && lasts
    }

    /// What it may do for an owner who may do what `access` says. It holds no roles, except where it stands for all of
    /// its owner: whoever asks for a role means more than the token's permissions.
    pub(in crate::account) fn narrow(&self, access: Access) -> Access {
        match &self.permissions {
            None => access,
            Some(own) => {
                Access { roles: Vec::new(), permissions: own.intersection(&access.permissions).copied().collect() }
            }
        }
    }
}

/// Revokes a token for good, from the next request on: one's own in a session, with the permission that of a user who
/// can do no more than the caller, and always the one that asks. A token that was revoked before stays as it is.
///
/// # Errors
/// Refuses callers who are not signed in, and tokens of users who can do more; a token out of the caller's reach reads as
/// missing.
pub async fn revoke(app: &App, requester: &Requester, id: ApiTokenId) -> Result<(ApiToken, user::Model)> {
    let caller = requester.caller()?;
    let now = app.clock.now();
    limit_own_change(app, caller, rule::MANAGE_API_TOKENS, now).await?;
    app.db
        .retry(|| async {
            let (tx, caller) = UnitOfWork::begin_as(app, caller, rule::MANAGE_API_TOKENS, now).await?;
            let token = match caller.api_token() {
                Some(itself) if itself.id() == id => itself.clone(),
                _ => {
                    let (token, owner) = find_manageable(&tx, &caller, id).await?;
                    authorization::authorize(&tx, &caller, UserAction::RestrictApiToken, &owner).await?;
                    // What is under way in the name of the token is done first, or fails.
                    users::lock_by_id(&tx, owner.id).await?;
                    token
                }
            };
            let is_new = api_tokens::update_revoked(&tx, &token.row, now).await?;
            let (row, owner) =
                api_tokens::find_with_user(&tx, TenantScope::AllTenants, id.uuid()).await?.ok_or_else(missing)?;
            if is_new {
                AuditEvent::success("api_token.revoke")
                    .by_caller(&caller)
                    .on_user(&owner)
                    .with("apiToken", id.to_string())
                    .record(&tx, app, &requester.context, now)
                    .await?;
            }
            tx.commit().await?;
            Ok((row.into(), owner))
        })
        .await
}

/// The token and its owner. Whether the caller may do what it wants is still to be checked.
pub(crate) async fn find_manageable(
    db: &impl ConnectionTrait,
    caller: &Caller,
    id: ApiTokenId,
) -> Result<(ApiToken, user::Model)> {
    let scope = caller.scope(rule::MANAGE_API_TOKENS);
    let (row, owner) = api_tokens::find_with_user(db, scope, id.uuid()).await?.ok_or_else(missing)?;
    if authorization::can_reach(caller, UserAction::RestrictApiToken, &owner) {
        Ok((row.into(), owner))
    } else {
        Err(missing().into())
    }
}

pub(crate) fn missing() -> Refusal {
    Refusal::new(RefusalCode::NotFound, "there is no such API token").for_field("apiTokenId")
}

/// One page of the tokens of `owner`, newest first.
///
/// # Errors
/// Refuses everybody but the owner and holders of the permission.
pub async fn list(
    app: &App,
    requester: &Requester,
    owner: &user::Model,
    only_usable: bool,
    request: PageRequest,
) -> Result<Slice<ApiToken>> {
    requester.authorize_for(rule::READ_API_TOKENS, owner)?;
    let usable_at = only_usable.then(|| app.clock.now());
    let query = request.to_query(pagination::CursorKind::Integer)?;
    let rows = api_tokens::list(app.db.reader(), owner.id, usable_at, &query).await?;
    Ok(request.slice(rows, |row| pagination::cursor(&api_tokens::cursor_key(row))).map(ApiToken::from))
}

/// How many tokens `owner` has.
///
/// # Errors
/// As [`list`].
pub async fn count(app: &App, requester: &Requester, owner: &user::Model, only_usable: bool) -> Result<u64> {
    requester.authorize_for(rule::READ_API_TOKENS, owner)?;
    let usable_at = only_usable.then(|| app.clock.now());
    api_tokens::count(app.db.reader(), owner.id, usable_at).await
}

/// The token with this id, if the caller may see it.
///
/// # Errors
/// Refuses callers who are not signed in; what they may not see reads as missing.
pub async fn find(app: &App, requester: &Requester, id: ApiTokenId) -> Result<Option<ApiToken>> {
    let caller = requester.authorize(rule::READ_NODE)?;
    let scope = caller.scope(rule::READ_API_TOKENS);
    let found = api_tokens::find_with_user(app.db.reader(), scope, id.uuid()).await?;
    let visible = found.filter(|(_, owner)| requester.authorize_for(rule::READ_API_TOKENS, owner).is_ok());
    Ok(visible.map(|(row, _)| row.into()))
}
