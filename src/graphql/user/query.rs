//! Queries for users: the caller, one user, and lists.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object};
use entity::user;

use super::{User, UserStatus};
use crate::account::access::rule;
use crate::account::administration::tenant;
use crate::account::caller::requester::{Identity, Requester};
use crate::account::pagination::PageRequest;
use crate::account::user::query as users;
use crate::account::user::query::{Lookup, UserFilter as Filter, UserOrder as Order, UserSorting};
use crate::error::Error;
use crate::graphql::context::ContextExt;
use crate::graphql::error::Result;
use crate::graphql::guard::guard;
use crate::graphql::object_id::parse_object_id;
use crate::graphql::page::{Connection, connection, weight};

/// Additional fields of a user connection.
pub struct UserConnectionFields {
    filter: Filter,
    requester: Arc<Requester>,
}

#[Object]
impl UserConnectionFields {
    /// The number of users that match the filter; counted only if selected.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<u64> {
        Ok(users::count(ctx.app()?, &self.requester, &self.filter).await?)
    }
}

/// Filter of a user list; users must match all given conditions.
#[derive(InputObject, Default)]
pub struct UserFilter {
    /// Part of the username, the e-mail address or the display name, of at most 64 characters; letter case is ignored.
    search: Option<String>,
    /// The complete e-mail address; letter case is ignored.
    email: Option<String>,
    /// The name of a role of the user.
    role: Option<String>,
    /// The status of the user.
    status: Option<UserStatus>,
    /// The id of the user's tenant.
    tenant_id: Option<ID>,
}

async fn to_store_filter(ctx: &Context<'_>, filter: Option<UserFilter>) -> crate::error::Result<Filter> {
    let UserFilter { search, email, role, status, tenant_id } = filter.unwrap_or_default();
    let requester = ctx.requester()?;
    requester.authorize(rule::READ_USERS)?;
    let tenant_id = match tenant_id {
        Some(id) => Some(tenant::row_id(ctx.app()?, requester, parse_object_id(&id, "tenantId")?).await?),
        None => None,
    };
    let status = status.map(user::Status::from);
    Ok(Filter { search, email_key: email, role_key: role, status, tenant_id, ..Filter::default() })
}

/// Sort order of a user list.
#[derive(InputObject)]
pub struct UserOrder {
    /// The field to sort by.
    field: UserOrderField,
    /// The sort direction.
    #[graphql(default_with = "OrderDirection::Asc")]
    direction: OrderDirection,
}

impl Default for UserOrder {
    fn default() -> Self {
        Self { field: UserOrderField::CreatedAt, direction: OrderDirection::Desc }
    }
}

/// Fields that users can be sorted by.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "Order")]
pub enum UserOrderField {
    /// When the user was created.
    CreatedAt,
    /// The username.
    Username,
    /// The e-mail address; users without one sort before all others.
    Email,
    /// The last login; users who never signed in sort before all others.
    #[graphql(name = "LAST_SIGN_IN_AT")]
    LastLogin,
}

/// Sort directions.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderDirection {
    /// Ascending: smallest or earliest first.
    Asc,
    /// Descending: largest or latest first.
    Desc,
}

/// Queries for users.
#[derive(Default)]
pub struct UserQuery;

#[Object]
impl UserQuery {
    /// The authenticated user; null without credentials. Invalid credentials fail with UNAUTHENTICATED, so that an
    /// expired token is not mistaken for a logout.
    async fn me(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let requester = ctx.requester()?;
        if matches!(requester.identity, Identity::Anonymous) {
            return Ok(None);
        }
        let caller = requester.caller()?;
        Ok(Some(User::new(caller.user.clone(), Arc::clone(requester))))
    }

    /// The user with this id, username or e-mail address (exactly one of them); null if there is none.
    #[graphql(directive = guard::apply(rule::READ_USERS))]
    async fn user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id.")] id: Option<ID>,
        #[graphql(desc = "The username; letter case is ignored.")] username: Option<String>,
        #[graphql(desc = "The e-mail address; letter case is ignored.")] email: Option<String>,
    ) -> Result<Option<User>> {
        let requester = ctx.requester()?;
        requester.authorize(rule::READ_USERS)?;
        let lookup = match (id, username, email) {
            (Some(id), None, None) => match parse_object_id(&id, "id") {
                Ok(id) => Lookup::Id(id),
                Err(_) => return Ok(None),
            },
            (None, Some(username), None) => Lookup::Username(username),
            (None, None, Some(email)) => Lookup::Email(email),
            _ => {
                let problem = "pass exactly one of id, username and email".to_owned();
                return Err(Error::BadUserInput { argument: "id", problem }.into());
            }
        };
        let found = users::get(ctx.app()?, requester, lookup).await?;
        Ok(found.map(|row| User::new(row, Arc::clone(requester))))
    }

    /// The users of the caller's own tenant, or with TENANTS_READ of all tenants, page by page.
    #[graphql(directive = guard::apply(rule::READ_USERS), complexity = "weight(first.or(last), child_complexity)")]
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Page size from the start of the list: 1 to 100, 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Page size from the end of the list: 1 to 100; not together with first.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
        #[graphql(desc = "Filter of the list.")] filter: Option<UserFilter>,
        #[graphql(desc = "Sort order; newest users first by default.", default)] order_by: UserOrder,
    ) -> Result<Connection<User, UserConnectionFields>> {
        let requester = ctx.requester()?;
        let filter = to_store_filter(ctx, filter).await?;
        let is_descending = order_by.direction == OrderDirection::Desc;
        let sorting = UserSorting { order: Order::from(order_by.field), is_descending };
        let request = PageRequest { first, after, last, before };
        let slice = users::list(ctx.app()?, requester, &filter, sorting, request).await?;
        let fields = UserConnectionFields { filter, requester: Arc::clone(requester) };
        Ok(connection(slice, fields, |row| User::new(row, Arc::clone(requester))))
    }
}
