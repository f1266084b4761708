//! Update of API tokens.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use entity::{api_token, user};
use sea_orm::{ActiveModelTrait, ActiveValue, Iterable, Set};

use super::new_token;
use super::token::{find_manageable, missing};
use crate::account::access::permission::Permission;
use crate::account::access::{grants, rule};
use crate::account::caller::api_token::ApiToken;
use crate::account::caller::rate_limit::limit_own_change;
use crate::account::caller::requester::Requester;
use crate::account::caller::user_action::{self, UserAction};
use crate::account::event::audit::AuditEvent;
use crate::account::names::id::ApiTokenId;
use crate::account::names::name::Name;
use crate::app::App;
use crate::error::{Error, Refusal, RefusalCode, Result};
use crate::store::{TenantScope, api_tokens, users};

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
    fn changes(&self, now: DateTime<Utc>) -> api_token::ActiveModel {
        let mut changes = api_token::ActiveModel { ..Default::default() };
        if let Some(permissions) = &self.permissions {
            changes.permissions = Set(Some(new_token::permission_names(permissions)));
        }
        if let Some(name) = &self.name {
            changes.name = Set(name.as_str().to_owned());
        }
        if let Some(note) = self.note.clone() {
            changes.note = Set(note.map(String::from));
        }
        if let Some(enabled) = self.enabled {
            changes.enabled = Set(enabled);
        }
        if let Some(lifetime) = self.lifetime {
            changes.expires_at = Set(lifetime.map(|lifetime| (now + lifetime).into()));
        }
        if let Some(scopes) = &self.scopes {
            changes.scopes = Set(scopes.to_json());
        }
        changes
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
            return Err(version_conflict());
        }
        if let Some(permissions) = &input.permissions {
            new_token::require_covered_by(permissions, &caller.access)?;
            new_token::require_covered_by(permissions, &grants::access_of(&tx, owner.id).await?)?;
        }
        let changes = input.changes(now);
        if is_unchanged(&token.row, &changes) {
            return Ok(tx.roll_back((token, owner)));
        }
        if !api_tokens::update(&tx, &token.row, changes, now).await? {
            return Err(version_conflict());
        }
        tx.record(
            AuditEvent::success("api_token.update").by_caller(&caller).on_user(&owner).with("apiToken", id.to_string()),
        )
        .await?;
        let (row, owner) =
            api_tokens::find_with_user(&tx, TenantScope::AllTenants, id.uuid()).await?.ok_or_else(missing)?;
        tx.commit((row.into(), owner)).await
    })
    .await
}

/// Whether the row already has every changed value.
fn is_unchanged(row: &api_token::Model, changes: &api_token::ActiveModel) -> bool {
    let mut changed: api_token::ActiveModel = row.clone().into();
    for column in api_token::Column::iter() {
        if let ActiveValue::Set(value) = changes.get(column) {
            changed.set_if_not_equals(column, value);
        }
    }
    !changed.is_changed()
}

fn version_conflict() -> Error {
    Refusal::new(RefusalCode::Conflict, "the token changed meanwhile: reload it and retry").into()
}
