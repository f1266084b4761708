//! Values of new API tokens, and changes to existing ones.

use entity::api_token;
use entity::secret::SecretText;
use entity::timestamp::Timestamp;
use sea_orm::Set;
use uuid::Uuid;

use crate::error::{Error, Refusal, RefusalCode};

/// An API token to add.
#[derive(Debug)]
pub struct NewRow {
    /// Public id.
    pub uid: Uuid,
    /// Row id of the owner.
    pub user_id: i64,
    /// Name given by the owner.
    pub name: String,
    /// Free text of the owner.
    pub note: Option<String>,
    /// Hash of the secret.
    pub secret_hash: SecretText,
    /// Names of permissions as a JSON array; `None` for all of the owner's.
    pub permissions: Option<String>,
    /// Scopes for other services, as a JSON array.
    pub scopes: String,
    /// Whether a login creates it in place of a session.
    pub from_login: bool,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Expiry.
    pub expires_at: Option<Timestamp>,
}

impl From<NewRow> for api_token::ActiveModel {
    fn from(new: NewRow) -> Self {
        Self {
            uid: Set(new.uid),
            user_id: Set(new.user_id),
            name: Set(new.name),
            note: Set(new.note),
            secret_hash: Set(new.secret_hash),
            permissions: Set(new.permissions),
            scopes: Set(new.scopes),
            enabled: Set(true),
            from_login: Set(new.from_login),
            created_at: Set(new.created_at),
            updated_at: Set(new.created_at),
            expires_at: Set(new.expires_at),
            last_used_at: Set(None),
            revoked_at: Set(None),
            version: Set(0),
            ..Default::default()
        }
    }
}

/// Changes to an API token; `None` keeps a value, `Some(None)` clears it.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// Name given by the owner.
    pub name: Option<String>,
    /// Free text of the owner.
    pub note: Option<Option<String>>,
    /// Whether it is enabled.
    pub enabled: Option<bool>,
    /// Names of permissions as a JSON array.
    pub permissions: Option<String>,
    /// Scopes for other services, as a JSON array.
    pub scopes: Option<String>,
    /// Expiry.
    pub expires_at: Option<Option<Timestamp>>,
}

impl Changes {
    /// Whether applying the changes would leave `token` unchanged.
    pub fn is_noop_for(&self, token: &api_token::Model) -> bool {
        let Self { name, note, enabled, permissions, scopes, expires_at } = self;
        name.as_ref().is_none_or(|name| *name == token.name)
            && note.as_ref().is_none_or(|note| *note == token.note)
            && enabled.is_none_or(|enabled| enabled == token.enabled)
            && permissions.as_ref().is_none_or(|names| Some(names) == token.permissions.as_ref())
            && scopes.as_ref().is_none_or(|scopes| *scopes == token.scopes)
            && expires_at.is_none_or(|end| end == token.expires_at)
    }
}

impl From<Changes> for api_token::ActiveModel {
    fn from(changes: Changes) -> Self {
        let mut row = Self { ..Default::default() };
        if let Some(name) = changes.name {
            row.name = Set(name);
        }
        if let Some(note) = changes.note {
            row.note = Set(note);
        }
        if let Some(enabled) = changes.enabled {
            row.enabled = Set(enabled);
        }
        if let Some(permissions) = changes.permissions {
            row.permissions = Set(Some(permissions));
        }
        if let Some(scopes) = changes.scopes {
            row.scopes = Set(scopes);
        }
        if let Some(end) = changes.expires_at {
            row.expires_at = Set(end);
        }
        row
    }
}

/// The token was changed or revoked concurrently.
pub fn version_conflict() -> Error {
    Refusal::new(RefusalCode::Conflict, "the token changed meanwhile: reload it and retry").into()
}
