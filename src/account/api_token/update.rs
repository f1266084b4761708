//! API tokens changed.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use entity::{api_token, user};
use sea_orm::{ActiveModelTrait, ActiveValue, Iterable, Set};

use super::new_token;
use super::token::{ApiToken, find_manageable, missing};
use crate::account::access::authorization::{self, UserAction};
use crate::account::access::role;
use crate::account::access::rule::{self, Permission};
use crate::account::authentication::password_attempt::limit_own_change;
use crate::account::caller::requester::Requester;
use crate::account::event::audit::AuditEvent;
use crate::account::event::unit_of_work::UnitOfWork;
use crate::account::user::id::ApiTokenId;
use crate::account::user::name::Name;
use crate::app::App;
use crate::error::{Error, Refusal, RefusalCode, Result};
use crate::store::{TenantScope, api_tokens, users};

/// What somebody changes about a token; what is not given stays, `Some(None)` clears.
#[derive(Debug, Default)]
pub struct ApiTokenUpdate {
    /// The new name.
    pub name: Option<Name>,
    /// The new note.
    pub note: Option<Option<new_token::Note>>,
    /// Whether it works.
    pub enabled: Option<bool>,
    /// How long it lasts from now on; nothing is for ever.
    pub lifetime: Option<Option<new_token::Lifetime>>,
    /// What it may do.
    pub permissions: Option<BTreeSet<Permission>>,
    /// What it means to others.
    pub scopes: Option<new_token::Scopes>,
    /// The version that the change is meant for; another one is a conflict.
    pub version: Option<i64>,
}

impl ApiTokenUpdate {
    /// What it does to `token` at `now`.
    fn action(&self, token: &ApiToken, now: DateTime<Utc>) -> UserAction {
        let Self { name, note, enabled, lifetime, permissions, scopes, version: _ } = self;
        let describes = name.is_some() || note.is_some();
        let ends_later = lifetime.is_some_and(|lifetime| match (lifetime, token.row.expires_at) {
            (Some(lifetime), Some(end)) => now + lifetime > end.utc(),
            (Some(_), None) => false,
            (None, _) => true,
        });
        if describes || *enabled == Some(true) || ends_later || permissions.is_some() || scopes.is_some() {
            UserAction::ChangeApiToken
        } else {
            UserAction::RestrictApiToken
        }
    }
}

/// Changes a token: one's own in a session. Others switch it off or let it end earlier, with the permission and if they
/// can do all that its owner can.
///
/// # Errors
/// Refuses callers who are not signed in, changes that are for the owner, permissions that the owner does not have, and
/// changes of another version; a token out of the caller's reach, or that was revoked, reads as missing.
pub async fn update(
    app: &App,
    requester: &Requester,
    id: ApiTokenId,
    input: ApiTokenUpdate,
) -> Result<(ApiToken, user::Model)> {
    let caller = requester.caller()?;
    let now = app.clock.now();
    limit_own_change(app, caller, rule::MANAGE_API_TOKENS, now).await?;
    app.db
        .retry(|| async {
            let (tx, caller) = UnitOfWork::begin_as(app, caller, rule::MANAGE_API_TOKENS, now).await?;
            let (token, owner) = find_manageable(&tx, &caller, id).await?;
            users::lock_by_id(&tx, owner.id).await?;
            let token = ApiToken::from(api_tokens::lock(&tx, &token.row).await?.ok_or_else(missing)?);
            authorization::authorize(&tx, &caller, input.action(&token, now), &owner).await?;
            if token.row.revoked_at.is_some() {
                return Err(missing().into());
            }
            if input.version.is_some_and(|version| version != token.row.version) {
                return Err(version_conflict());
            }
            let mut changes = api_token::ActiveModel { ..Default::default() };
            if let Some(permissions) = &input.permissions {
                new_token::require_covered_by(permissions, &caller.access)?;
                new_token::require_covered_by(permissions, &role::access_of(&tx, owner.id).await?)?;
                changes.permissions = Set(Some(new_token::permission_names(permissions)));
            }
            if let Some(name) = &input.name {
                changes.name = Set(name.as_str().to_owned());
            }
            if let Some(note) = input.note.clone() {
                changes.note = Set(note.map(String::from));
            }
            if let Some(enabled) = input.enabled {
                changes.enabled = Set(enabled);
            }
            if let Some(lifetime) = input.lifetime {
                changes.expires_at = Set(lifetime.map(|lifetime| (now + lifetime).into()));
            }
            if let Some(scopes) = &input.scopes {
                changes.scopes = Set(scopes.to_json());
            }
            if is_unchanged(&token.row, &changes) {
                return Ok((token, owner));
            }
            if !api_tokens::update(&tx, &token.row, changes, now).await? {
                return Err(version_conflict());
            }
            AuditEvent::success("api_token.update")
                .by_caller(&caller)
                .on_user(&owner)
                .with("apiToken", id.to_string())
                .record(&tx, app, &requester.context, now)
                .await?;
            let (row, owner) =
                api_tokens::find_with_user(&tx, TenantScope::AllTenants, id.uuid()).await?.ok_or_else(missing)?;
            tx.commit().await?;
            Ok((row.into(), owner))
        })
        .await
}

/// Whether the row has every value that is set already.
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
    Refusal::new(RefusalCode::Conflict, "the token was changed by somebody else: look again and repeat").into()
}
