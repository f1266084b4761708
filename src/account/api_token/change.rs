//! API tokens changed.

use std::collections::BTreeSet;

use entity::{api_token, user};
use sea_orm::Set;

use super::{ApiToken, draft, missing, target};
use crate::account::access::Permission;
use crate::account::audit::Event;
use crate::account::id::ApiTokenId;
use crate::account::name::Name;
use crate::account::requester::Requester;
use crate::account::role;
use crate::app::App;
use crate::error::{Error, Refusal, RefusalCode, Result};
use crate::store::{Scope, api_tokens};

/// What somebody changes about a token; what is not given stays, `Some(None)` clears.
#[derive(Debug, Default)]
pub struct Update {
    /// The new name.
    pub name: Option<Name>,
    /// The new note.
    pub note: Option<Option<draft::Note>>,
    /// Whether it works.
    pub enabled: Option<bool>,
    /// How long it lasts from now on; nothing is for ever.
    pub lifetime: Option<Option<draft::Lifetime>>,
    /// What it may do.
    pub permissions: Option<BTreeSet<Permission>>,
    /// What it means to others.
    pub scopes: Option<draft::Scopes>,
    /// The version that the change is meant for; another one is a conflict.
    pub version: Option<i64>,
}

/// Changes a token: one's own, or with the permission anybody's whom the caller reaches.
///
/// # Errors
/// Refuses callers who are not signed in, permissions that the caller or the owner does not have, and changes of
/// another version; a token they may not change, or that was revoked, reads as missing.
pub async fn update(
    app: &App,
    requester: &Requester,
    id: ApiTokenId,
    input: Update,
) -> Result<(ApiToken, user::Model)> {
    let caller = requester.signed_in()?;
    let now = app.clock.now();
    app.db
        .retry(|| async {
            let tx = app.db.begin().await?;
            let (token, owner) = target(&tx, requester, caller, id).await?;
            if token.row.revoked_at.is_some() {
                return Err(missing().into());
            }
            if input.version.is_some_and(|version| version != token.row.version) {
                return Err(changed_meanwhile());
            }
            let mut changes = api_token::ActiveModel { ..Default::default() };
            if let Some(permissions) = &input.permissions {
                draft::require_within(permissions, &caller.access)?;
                draft::require_within(permissions, &role::access_of(&tx, owner.id).await?)?;
                changes.permissions = Set(Some(draft::names(permissions)));
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
            if !api_tokens::update(&tx, &token.row, changes, now).await? {
                return Err(changed_meanwhile());
            }
            Event::success("api_token.update")
                .made_by(caller)
                .to(&owner)
                .with("apiToken", id.to_string())
                .record(&tx, app, &requester.client, now)
                .await?;
            let (row, owner) =
                api_tokens::find_with_user(&tx, Scope::Installation, id.uuid()).await?.ok_or_else(missing)?;
            tx.commit().await?;
            Ok((row.into(), owner))
        })
        .await
}

fn changed_meanwhile() -> Error {
    Refusal::new(RefusalCode::Conflict, "the token was changed by somebody else: look again and repeat").into()
}
