//! Users: one, and lists of them.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use entity::user;

use super::error::Result;
use super::global_id;
use super::page::{Connection, Paging, weight};
use super::role::{self, Role};
use crate::account::access::{role as roles, rule};
use crate::account::caller::requester::Requester;
use crate::account::user::id::UserId;
use crate::account::user::query::UserFilter;
use crate::account::user::{directory, query as users};
use crate::graphql::context::ContextExt;

/// What the global ids of users begin with.
pub(super) const KIND: &str = "User";

/// An account, as one viewer sees it.
pub struct User {
    row: user::Model,
    requester: Arc<Requester>,
}

impl User {
    /// The account `row` as `viewer` sees it.
    pub(super) fn new(row: user::Model, requester: Arc<Requester>) -> Self {
        Self { row, requester }
    }

    fn permit(&self) -> Result<()> {
        self.requester.authorize_for(rule::READ_USER_DETAILS, &self.row)?;
        Ok(())
    }
}

/// An account.
#[Object(rename_fields = "snake_case")]
impl User {
    /// Whether it can sign in.
    async fn active(&self) -> Result<Option<bool>> {
        self.permit()?;
        Ok(Some(self.row.status == user::Status::Active))
    }

    /// Whether a new password has to be chosen first.
    async fn change_password(&self) -> Result<Option<bool>> {
        self.permit()?;
        Ok(Some(self.row.must_change_password))
    }

    /// The global id.
    pub(super) async fn id(&self) -> ID {
        global_id::encode(KIND, UserId::from(self.row.uid))
    }

    /// Its role; of several the administrator's, or the first by name.
    async fn role(&self, ctx: &Context<'_>) -> Result<Option<Role>> {
        self.permit()?;
        role::primary_role_of(ctx, self.row.id).await
    }

    /// The name to sign in with.
    async fn username(&self) -> Option<&str> {
        Some(&self.row.username)
    }
}

/// Queries for users.
#[derive(Default)]
pub struct UserQuery;

#[Object(rename_args = "snake_case")]
impl UserQuery {
    /// The users, oldest account first; up to 1,000 at a time.
    #[graphql(complexity = "weight(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the old schema has them")]
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those in front of this cursor.")] before: Option<String>,
        #[graphql(desc = "Only those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the front.")] first: Option<i32>,
        #[graphql(desc = "How many from the end.")] last: Option<i32>,
        #[graphql(desc = "Those that can sign in, or cannot.")] active: Option<bool>,
        #[graphql(desc = "Those that have to choose a new password, or do not.")] change_password: Option<bool>,
        #[graphql(desc = "The one with this id.")] id: Option<ID>,
        #[graphql(desc = "The one with this name.")] username: Option<String>,
        #[graphql(desc = "Those with this role, by its id.")] role: Option<ID>,
    ) -> Result<Option<Connection<User>>> {
        let (app, requester) = (ctx.app()?, ctx.requester()?);
        requester.authorize(rule::READ_USERS)?;
        let paging = Paging { before, after, first, last };
        let status = |active| if active { user::Status::Active } else { user::Status::Disabled };
        let (Ok(uid), Ok(role)) = (
            id.map(|id| global_id::parse(KIND, &id)).transpose(),
            role.map(|id| global_id::parse(role::KIND, &id)).transpose(),
        ) else {
            return Ok(Some(Connection::new(&paging.window(0), Vec::new())));
        };
        let role_key = match role {
            Some(id) => match roles::find(app, requester, id).await? {
                Some(role) => Some(role.row.name),
                None => return Ok(Some(Connection::new(&paging.window(0), Vec::new()))),
            },
            None => None,
        };
        let filter = UserFilter {
            status: active.map(status),
            must_change_password: change_password,
            uid: uid.map(|id: UserId| id.uuid()),
            username_key: username,
            role_key,
            ..UserFilter::default()
        };
        let window = paging.window(users::count(app, requester, &filter).await?);
        let rows = directory::list(app, requester, &filter, window.start, window.end - window.start).await?;
        let nodes = rows.into_iter().map(|row| User::new(row, Arc::clone(requester))).collect();
        Ok(Some(Connection::new(&window, nodes)))
    }
}
