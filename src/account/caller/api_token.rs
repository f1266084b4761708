//! API tokens as credentials.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use entity::api_token;

use crate::account::access::grants::Access;
use crate::account::access::permission::Permission;
use crate::account::names::id::ApiTokenId;

/// An API token without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// The row.
    pub row: api_token::Model,
    /// Its permissions, limited by those of its owner; `None` for all that its owner has.
    pub permissions: Option<BTreeSet<Permission>>,
    /// Scopes for other services; this server ignores them.
    pub scopes: Vec<String>,
}

impl From<api_token::Model> for ApiToken {
    fn from(row: api_token::Model) -> Self {
        // Only this module writes the lists; a corrupted one grants nothing.
        let list = |text: &str| serde_json::from_str::<Vec<String>>(text).unwrap_or_default();
        let permissions = row.permissions.as_deref().map(list);
        let known = |names: Vec<String>| names.iter().filter_map(|name| Permission::from_name(name)).collect();
        Self { permissions: permissions.map(known), scopes: list(&row.scopes), row }
    }
}

impl ApiToken {
    /// The public id.
    pub fn id(&self) -> ApiTokenId {
        self.row.uid.into()
    }

    /// Whether the token itself is valid at `now`; its owner may still be disabled.
    pub(in crate::account) fn is_usable(&self, now: DateTime<Utc>) -> bool {
        let is_unexpired = self.row.expires_at.is_none_or(|end| now < end.utc());
        self.row.enabled && self.row.revoked_at.is_none() && is_unexpired
    }

    /// Its effective access, given its owner's. It has no roles unless it holds all of its owner's permissions: a role
    /// check demands more than single permissions.
    pub(in crate::account) fn narrow(&self, access: Access) -> Access {
        match &self.permissions {
            None => access,
            Some(own) => {
                Access { roles: Vec::new(), permissions: own.intersection(&access.permissions).copied().collect() }
            }
        }
    }
}

/// Minimum age of the recorded use before the next one is recorded: at most one write per minute.
pub(super) const USE_INTERVAL: TimeDelta = TimeDelta::minutes(1);

impl ApiToken {
    /// Whether the token is still valid and its next use need not be recorded yet.
    pub(in crate::account) fn is_valid_at(&self, now: DateTime<Utc>) -> bool {
        self.is_usable(now) && self.is_use_recorded(now)
    }

    /// Whether the last recorded use is recent enough.
    pub(super) fn is_use_recorded(&self, now: DateTime<Utc>) -> bool {
        self.row.last_used_at.is_some_and(|last| last.utc() > now - USE_INTERVAL)
    }
}
