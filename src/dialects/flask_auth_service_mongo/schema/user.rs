//! Users: fields and lists.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use entity::user;

use super::error::{BAD_REQUEST, LegacyError, Result};
use super::global_id::{self, IdError};
use super::page::{Connection, Paging, weight};
use super::role::{self, Role};
use crate::account::access::rule;
use crate::account::administration::role as roles;
use crate::account::caller::requester::Requester;
use crate::account::names::id::UserId;
use crate::account::user::query::UserFilter;
use crate::account::user::{directory, query as users};
use crate::graphql::context::ContextExt;

/// The type in the global ids of users.
pub(super) const KIND: &str = "User";

/// Parses the global id of a user.
///
/// # Errors
/// The older service's message for an invalid id.
pub(super) fn parse_user_id(id: &ID) -> Result<UserId> {
    global_id::parse(KIND, id).map_err(|error| {
        LegacyError::with_message(match error {
            IdError::Malformed => "id_not_valid",
            IdError::WrongType => BAD_REQUEST,
            IdError::LegacyObjectId => "not_found",
        })
    })
}

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

    fn permit(&self) -> Result<()> {
        self.requester.authorize_for(rule::READ_USER_DETAILS, &self.row)?;
        Ok(())
    }
}

/// A user account.
#[Object(rename_fields = "snake_case")]
impl User {
    /// Whether the user can sign in.
    async fn active(&self) -> Result<Option<bool>> {
        self.permit()?;
        Ok(Some(self.row.status == user::Status::Active))
    }

    /// Whether the user must set a new password.
    async fn change_password(&self) -> Result<Option<bool>> {
        self.permit()?;
        Ok(Some(self.row.must_change_password))
    }

    /// The global id of the user.
    pub(super) async fn id(&self) -> ID {
        global_id::encode(KIND, UserId::from(self.row.uid))
    }

    /// The primary role: of several roles the administrator's, or else the first by name.
    async fn role(&self, ctx: &Context<'_>) -> Result<Option<Role>> {
        self.permit()?;
        role::primary_role_of(ctx, self.row.id).await
    }

    /// The username.
    async fn username(&self) -> Option<&str> {
        Some(&self.row.username)
    }
}

/// Queries for users.
#[derive(Default)]
pub struct UserQuery;

#[Object(rename_args = "snake_case")]
impl UserQuery {
    /// The users, oldest first; at most 1,000 per page.
    #[graphql(complexity = "weight(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the older service's schema has these arguments")]
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Page size from the start of the list.")] first: Option<i32>,
        #[graphql(desc = "Page size from the end of the list.")] last: Option<i32>,
        #[graphql(desc = "Only users that can sign in; false: only those that cannot.")] active: Option<bool>,
        #[graphql(desc = "Only users that must set a new password; false: only others.")] change_password: Option<bool>,
        #[graphql(desc = "Only the user with this global id.")] id: Option<ID>,
        #[graphql(desc = "Only the user with this username.")] username: Option<String>,
        #[graphql(desc = "Only users with the role of this global id.")] role: Option<ID>,
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
