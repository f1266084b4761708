//! The type `ApiToken`, its connection and its query.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use entity::user;

use super::context::ContextExt;
use super::error::Result;
use super::guard::Permission;
use super::time::Time;
use crate::account::api_token::token as tokens;
use crate::account::caller::api_token;
use crate::account::caller::requester::{Identity, Requester};
use crate::account::pagination::RowFilter;

pub mod mutation;

/// An API token, without its secret.
pub struct ApiToken(pub(super) api_token::ApiToken);

/// A credential for programs that act on behalf of a user. Its effective permissions are the intersection of its own
/// and the user's current ones. It cannot create API tokens, change the password or the profile, or administer its own
/// user.
#[Object]
impl ApiToken {
    /// The id; it is also the second part of the token.
    pub(super) async fn id(&self) -> ID {
        self.0.id().to_string().into()
    }

    /// The name that its owner has given it.
    async fn name(&self) -> &str {
        &self.0.row.name
    }

    /// A free text of its owner.
    async fn note(&self) -> Option<&str> {
        self.0.row.note.as_deref()
    }

    /// Its permissions, effective while its owner holds them; null: all permissions of its owner.
    async fn permissions(&self) -> Option<Vec<Permission>> {
        let permissions = self.0.permissions.as_ref()?;
        Some(permissions.iter().copied().map(Permission::from).collect())
    }

    /// Scopes for the services that accept the token; this server does not interpret them.
    async fn scopes(&self) -> &[String] {
        &self.0.scopes
    }

    /// Whether a login of an older service's API created it in place of a session; then it ends with its owner's
    /// sessions.
    async fn from_login(&self) -> bool {
        self.0.row.from_login
    }

    /// Whether it can be used; a disabled token is refused until it is enabled again.
    async fn enabled(&self) -> bool {
        self.0.row.enabled
    }

    /// When it was created.
    async fn created_at(&self) -> Time {
        self.0.row.created_at.into()
    }

    /// When it was last changed.
    async fn updated_at(&self) -> Time {
        self.0.row.updated_at.into()
    }

    /// When it expires; null: never.
    async fn expires_at(&self) -> Option<Time> {
        self.0.row.expires_at.map(Time::from)
    }

    /// When it was last used, with a precision of one minute; null: never.
    async fn last_used_at(&self) -> Option<Time> {
        self.0.row.last_used_at.map(Time::from)
    }

    /// When it was revoked; null: it is not revoked.
    async fn revoked_at(&self) -> Option<Time> {
        self.0.row.revoked_at.map(Time::from)
    }

    /// A counter of changes, for optimistic locking: see `UpdateApiTokenInput.version`.
    async fn version(&self) -> i64 {
        self.0.row.version
    }
}

/// Additional fields of an API token connection.
pub struct ApiTokenConnectionFields {
    owner: user::Model,
    requester: Arc<Requester>,
    active_only: bool,
}

impl ApiTokenConnectionFields {
    /// The fields for the tokens of `owner`, of all or of the active ones only.
    pub(super) fn new(owner: user::Model, requester: Arc<Requester>, active_only: bool) -> Self {
        Self { owner, requester, active_only }
    }
}

#[Object]
impl ApiTokenConnectionFields {
    /// The number of API tokens in the list; counted only if selected.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<u64> {
        Ok(tokens::count(ctx.app()?, &self.requester, &self.owner, RowFilter::from_flag(self.active_only)).await?)
    }
}

/// Queries for API tokens.
#[derive(Default)]
pub struct ApiTokenQuery;

#[Object]
impl ApiTokenQuery {
    /// The API token that authenticates this request, so that other services can validate a token and read its scopes.
    /// Null in a session and without credentials; UNAUTHENTICATED if the credentials are invalid.
    async fn current_api_token(&self, ctx: &Context<'_>) -> Result<Option<ApiToken>> {
        let requester = ctx.requester()?;
        if matches!(requester.identity, Identity::Anonymous) {
            return Ok(None);
        }
        Ok(requester.caller()?.api_token().cloned().map(ApiToken))
    }
}
