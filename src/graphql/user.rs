//! The type `User` and the queries for users.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object};
use entity::user;

use super::api_token::{ApiToken, ApiTokenConnectionFields};
use super::context::ContextExt;
use super::error::Result;
use super::guard::{Permission, guard};
use super::page::{Connection, connection, weight};
use super::session::{Session, SessionConnectionFields};
use super::tenant::Tenant;
use super::time::Time;
use crate::account::access::rule::{self, Rule};
use crate::account::api_token::token;
use crate::account::authentication::session_query;
use crate::account::caller::requester::Requester;
use crate::account::names::id::UserId;
use crate::account::pagination::{PageRequest, RowFilter};

pub mod query;

/// A user as seen by one requester.
pub struct User {
    row: user::Model,
    requester: Arc<Requester>,
}

impl User {
    /// The user `row` as seen by `requester`.
    pub(super) fn new(row: user::Model, requester: Arc<Requester>) -> Self {
        Self { row, requester }
    }

    fn permit(&self, rule: Rule) -> Result<()> {
        self.requester.authorize_for(rule, &self.row)?;
        Ok(())
    }
}

/// A user account, of a person or a program.
#[Object]
impl User {
    /// The id; equal to the claim `sub` of the user's tokens.
    pub(super) async fn id(&self) -> ID {
        UserId::from(self.row.uid).to_string().into()
    }

    /// The username, as the user writes it; unique without regard to letter case.
    async fn username(&self) -> &str {
        &self.row.username
    }

    /// The display name.
    async fn display_name(&self) -> Option<&str> {
        self.row.display_name.as_deref()
    }

    /// The tenant of the user.
    #[graphql(directive = guard::apply(rule::READ_USER_DETAILS))]
    async fn tenant(&self, ctx: &Context<'_>) -> Result<Tenant> {
        self.permit(rule::READ_USER_DETAILS)?;
        Ok(Tenant(ctx.tenant(self.row.tenant_id).await?))
    }

    /// The e-mail address, which can also be used to sign in.
    #[graphql(directive = guard::apply(rule::READ_USER_DETAILS))]
    async fn email(&self) -> Result<Option<&str>> {
        self.permit(rule::READ_USER_DETAILS)?;
        Ok(self.row.email.as_deref())
    }

    /// Whether the user can sign in.
    #[graphql(directive = guard::apply(rule::READ_USER_DETAILS))]
    async fn status(&self) -> Result<UserStatus> {
        self.permit(rule::READ_USER_DETAILS)?;
        Ok(self.row.status.into())
    }

    /// Whether the user must set a new password. Until `updatePassword`, everything but login, refresh and logout is
    /// refused with PASSWORD_CHANGE_REQUIRED.
    #[graphql(directive = guard::apply(rule::READ_USER_DETAILS))]
    async fn must_change_password(&self) -> Result<bool> {
        self.permit(rule::READ_USER_DETAILS)?;
        Ok(self.row.must_change_password)
    }

    /// The names of the user's current roles.
    #[graphql(directive = guard::apply(rule::READ_USER_DETAILS))]
    async fn roles(&self, ctx: &Context<'_>) -> Result<Vec<String>> {
        self.permit(rule::READ_USER_DETAILS)?;
        let roles = ctx.access_of(self.row.id).await?.into_owned().roles;
        // The number of roles per user is not limited.
        ctx.reserve_bytes(roles.iter().map(String::len).sum())?;
        Ok(roles)
    }

    /// The permissions that the user's current roles grant together, as the guards check them.
    #[graphql(directive = guard::apply(rule::READ_USER_DETAILS))]
    async fn permissions(&self, ctx: &Context<'_>) -> Result<Vec<Permission>> {
        self.permit(rule::READ_USER_DETAILS)?;
        Ok(ctx.access_of(self.row.id).await?.permissions.iter().copied().map(Permission::from).collect())
    }

    /// Whether the user currently holds a permission.
    #[graphql(directive = guard::apply(rule::READ_USER_DETAILS))]
    async fn can(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The permission to check.")] permission: Permission,
    ) -> Result<bool> {
        self.permit(rule::READ_USER_DETAILS)?;
        Ok(ctx.access_of(self.row.id).await?.permissions.contains(&permission.into()))
    }

    /// When the password was last set.
    #[graphql(directive = guard::apply(rule::READ_USER_DETAILS))]
    async fn password_updated_at(&self) -> Result<Option<Time>> {
        self.permit(rule::READ_USER_DETAILS)?;
        Ok(self.row.password_changed_at.map(Time::from))
    }

    /// When the user last signed in; null: never.
    #[graphql(directive = guard::apply(rule::READ_USER_DETAILS))]
    async fn last_sign_in_at(&self) -> Result<Option<Time>> {
        self.permit(rule::READ_USER_DETAILS)?;
        Ok(self.row.last_login_at.map(Time::from))
    }

    /// When the user was created.
    async fn created_at(&self) -> Time {
        self.row.created_at.into()
    }

    /// When the user was last changed.
    async fn updated_at(&self) -> Time {
        self.row.updated_at.into()
    }

    /// The user's sessions, newest first.
    #[graphql(directive = guard::apply(rule::READ_SESSIONS), complexity = "weight(first, child_complexity)")]
    async fn sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Page size from the start of the list: 1 to 100, 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Only active sessions; false: ended ones, too.", default = true)] active: bool,
    ) -> Result<Connection<Session, SessionConnectionFields>> {
        let request = PageRequest { first, after, ..PageRequest::default() };
        let _turn = ctx.list_permit().await?;
        let slice =
            session_query::list(ctx.app()?, &self.requester, &self.row, RowFilter::from_flag(active), request).await?;
        let fields = SessionConnectionFields::new(self.row.clone(), Arc::clone(&self.requester), active);
        Ok(connection(slice, fields, |row| Session::new(row, Arc::clone(&self.requester))))
    }

    /// The user's API tokens, newest first.
    #[graphql(directive = guard::apply(rule::READ_API_TOKENS), complexity = "weight(first, child_complexity)")]
    async fn api_tokens(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Page size from the start of the list: 1 to 100, 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Only active API tokens, neither revoked nor expired; false: all.", default = true)]
        active: bool,
    ) -> Result<Connection<ApiToken, ApiTokenConnectionFields>> {
        let request = PageRequest { first, after, ..PageRequest::default() };
        let slice = token::list(ctx.app()?, &self.requester, &self.row, RowFilter::from_flag(active), request).await?;
        let fields = ApiTokenConnectionFields::new(self.row.clone(), Arc::clone(&self.requester), active);
        Ok(connection(slice, fields, ApiToken))
    }
}

/// Whether a user can sign in.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "user::Status")]
pub enum UserStatus {
    /// The user can sign in.
    Active,
    /// An administrator has disabled the user; all sessions have ended.
    Disabled,
}
