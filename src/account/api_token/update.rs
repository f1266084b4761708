//! Update of API tokens.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use entity::user;

use super::new_token;
use super::token::{find_manageable, missing};
use crate::account::access::permission::Permission;
use crate::account::access::{grants, rule};
use crate::account::caller::api_token::ApiToken;
use crate::account::caller::rate_limit::limit_own_change;
use crate::account::caller::requester::Requester;
use crate::account::caller::user_action::{self, UserAction};
use crate::account::event::audit::AuditEvent;
use crate::account::event::audit_action::AuditAction;
use crate::account::names::id::ApiTokenId;
use crate::account::names::name::Name;
use crate::app::App;
use crate::error::Result;
use crate::store::api_tokens::{self, Changes};
use crate::store::users;

/// The changes to a token; absent fields stay, `Some(None)` clears.
#[derive(Debug, Default)]
pub struct ApiTokenUpdate {
    /// The new name.
    pub name: Option<Name>,
    /// The new note.
    pub note: Option<Option<new_token::Note>>,
    /// Whether it is enabled.
    pub enabled: Option<bool>,
    /// Lifetime from now on; `None` for no expiry.
    pub lifetime: Option<Option<new_token::Lifetime>>,
    /// Its permissions.
    pub permissions: Option<BTreeSet<Permission>>,
    /// Scopes for other services.
    pub scopes: Option<new_token::Scopes>,
    /// The expected version; a mismatch is a conflict.
    pub version: Option<i64>,
}

impl ApiTokenUpdate {
    /// The action that this is on `token` at `now`.
    fn action(&self, token: &ApiToken, now: DateTime<Utc>) -> UserAction {
        let Self { name, note, enabled, lifetime, permissions, scopes, version: _ } = self;
        let renames = name.is_some() || note.is_some();
        let ends_later = lifetime.is_some_and(|lifetime| match (lifetime, token.row.expires_at) {
            (Some(lifetime), Some(end)) => now + lifetime > end.utc(),
            (Some(_), None) => false,
            (None, _) => true,
        });
        if renames || *enabled == Some(true) || ends_later || permissions.is_some() || scopes.is_some() {
            UserAction::ChangeApiToken
        } else {
            UserAction::RestrictApiToken
        }
    }

    /// The changes to the row at `now`.
    fn changes(&self, now: DateTime<Utc>) -> Changes {
        Changes {
            name: self.name.as_ref().map(|name| name.as_str().to_owned()),
            note: self.note.clone().map(|note| note.map(String::from)),
            enabled: self.enabled,
            permissions: self.permissions.as_ref().map(new_token::permission_names),
            scopes: self.scopes.as_ref().map(new_token::Scopes::to_json),
            expires_at: self.lifetime.map(|lifetime| lifetime.map(|lifetime| (now + lifetime).into())),
        }
    }
}

/// Updates a token: an own one in a session. Other callers can only disable it or shorten its lifetime; they need the
/// permission and all permissions of its owner.
///
/// # Errors
/// Refuses unauthenticated callers, changes reserved for the owner, permissions that the owner lacks, and a version
/// mismatch. A token out of scope, or a revoked one, reads as missing.
pub async fn update(
    app: &App,
    requester: &Requester,
    id: ApiTokenId,
    input: ApiTokenUpdate,
) -> Result<(ApiToken, user::Model)> {
    let caller = requester.caller()?;
    let now = app.clock.now();
    limit_own_change(app, caller, rule::MANAGE_API_TOKENS, now).await?;
    app.write_as(requester, rule::MANAGE_API_TOKENS, now, async |tx, caller| {
        let (token, owner) = find_manageable(&tx, &caller, id).await?;
        users::lock_by_id(&tx, owner.id).await?;
        let token = ApiToken::from(api_tokens::lock(&tx, &token.row).await?.ok_or_else(missing)?);
        user_action::authorize(&tx, &caller, input.action(&token, now), &owner).await?;
        if token.row.revoked_at.is_some() {
            return Err(missing().into());
        }
        if input.version.is_some_and(|version| version != token.row.version) {
            return Err(api_tokens::version_conflict());
        }
        if let Some(permissions) = &input.permissions {
            new_token::require_covered_by(permissions, &caller.access)?;
            new_token::require_covered_by(permissions, &grants::access_of(&tx, owner.id).await?)?;
        }
        let changes = input.changes(now);
        if changes.is_noop_for(&token.row) {
            return Ok(tx.roll_back((token, owner)));
        }
        let row = api_tokens::update(&tx, &token.row, changes, now).await?;
        tx.record(
            AuditEvent::success(AuditAction::ApiTokenUpdate)
                .by_caller(&caller)
                .on_user(&owner)
                .with("apiToken", id.to_string()),
        )
        .await?;
        tx.commit((row.into(), owner)).await
    })
    .await
}
