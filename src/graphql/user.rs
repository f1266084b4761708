//! Users: oneself, one, and lists of them.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object};
use entity::user;

use super::api_token::{ApiToken, ApiTokenConnectionFields};
use super::context::ContextExt;
use super::error::Result;
use super::guard::{Permission, guard};
use super::node::parse_object_id;
use super::page::{Connection, connection, weight};
use super::session::{Session, SessionConnectionFields};
use super::tenant::Tenant;
use super::time::Time;
use crate::account::access::rule::{self, Rule};
use crate::account::access::tenant;
use crate::account::api_token::token;
use crate::account::authentication::session;
use crate::account::caller::requester::{Identity, Requester};
use crate::account::pagination::PageRequest;
use crate::account::user::id::UserId;
use crate::account::user::query as users;
use crate::account::user::query::{Lookup, UserFilter as Filter, UserOrder as Order};
use crate::error::Error;

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

    fn permit(&self, rule: Rule) -> Result<()> {
        self.requester.authorize_for(rule, &self.row)?;
        Ok(())
    }
}

/// An account: a person or a program.
#[Object]
impl User {
    /// The id; equals the claim `sub` of the account's tokens.
    pub(super) async fn id(&self) -> ID {
        UserId::from(self.row.uid).to_string().into()
    }

    /// The name to sign in with, as its owner writes it; unique in every spelling.
    async fn username(&self) -> &str {
        &self.row.username
    }

    /// The name to show.
    async fn display_name(&self) -> Option<&str> {
        self.row.display_name.as_deref()
    }

    /// The customer to whom the account belongs.
    #[graphql(directive = guard::apply(rule::READ_USER_DETAILS))]
    async fn tenant(&self, ctx: &Context<'_>) -> Result<Tenant> {
        self.permit(rule::READ_USER_DETAILS)?;
        Ok(Tenant(ctx.tenant(self.row.tenant_id).await?))
    }

    /// The e-mail address, which may be used to sign in, too.
    #[graphql(directive = guard::apply(rule::READ_USER_DETAILS))]
    async fn email(&self) -> Result<Option<&str>> {
        self.permit(rule::READ_USER_DETAILS)?;
        Ok(self.row.email.as_deref())
    }

    /// Whether the account can sign in.
    #[graphql(directive = guard::apply(rule::READ_USER_DETAILS))]
    async fn status(&self) -> Result<UserStatus> {
        self.permit(rule::READ_USER_DETAILS)?;
        Ok(self.row.status.into())
    }

    /// Whether the owner has to choose a new password: until `updatePassword`, everything but login, refresh and logout
    /// answers PASSWORD_CHANGE_REQUIRED.
    #[graphql(directive = guard::apply(rule::READ_USER_DETAILS))]
    async fn must_change_password(&self) -> Result<bool> {
        self.permit(rule::READ_USER_DETAILS)?;
        Ok(self.row.must_change_password)
    }

    /// The names of the account's roles, as they are now.
    #[graphql(directive = guard::apply(rule::READ_USER_DETAILS))]
    async fn roles(&self, ctx: &Context<'_>) -> Result<Vec<String>> {
        self.permit(rule::READ_USER_DETAILS)?;
        let roles = ctx.access_of(self.row.id).await?.into_owned().roles;
        // An account may have any number of them.
        ctx.reserve_bytes(roles.iter().map(String::len).sum())?;
        Ok(roles)
    }

    /// What the roles add up to, as it is now: what the guards check.
    #[graphql(directive = guard::apply(rule::READ_USER_DETAILS))]
    async fn permissions(&self, ctx: &Context<'_>) -> Result<Vec<Permission>> {
        self.permit(rule::READ_USER_DETAILS)?;
        Ok(ctx.access_of(self.row.id).await?.permissions.iter().copied().map(Permission::from).collect())
    }

    /// Whether the account holds one permission now.
    #[graphql(directive = guard::apply(rule::READ_USER_DETAILS))]
    async fn can(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The permission in question.")] permission: Permission,
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

    /// When somebody last signed in to the account.
    #[graphql(directive = guard::apply(rule::READ_USER_DETAILS))]
    async fn last_sign_in_at(&self) -> Result<Option<Time>> {
        self.permit(rule::READ_USER_DETAILS)?;
        Ok(self.row.last_login_at.map(Time::from))
    }

    /// When the account was made.
    async fn created_at(&self) -> Time {
        self.row.created_at.into()
    }

    /// When the account was last changed.
    async fn updated_at(&self) -> Time {
        self.row.updated_at.into()
    }

    /// The account's sessions, newest first.
    #[graphql(directive = guard::apply(rule::READ_SESSIONS), complexity = "weight(first, child_complexity)")]
    async fn sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front: 1 to 100, 20 if nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only those that live; false: also those that ended.", default = true)] active: bool,
    ) -> Result<Connection<Session, SessionConnectionFields>> {
        let request = PageRequest { first, after, ..PageRequest::default() };
        let _turn = ctx.list_permit().await?;
        let slice = session::list(ctx.app()?, &self.requester, &self.row, active, request).await?;
        let fields = SessionConnectionFields::new(self.row.clone(), Arc::clone(&self.requester), active);
        Ok(connection(slice, fields, |row| Session::new(row, Arc::clone(&self.requester))))
    }

    /// The account's API tokens, newest first.
    #[graphql(directive = guard::apply(rule::READ_API_TOKENS), complexity = "weight(first, child_complexity)")]
    async fn api_tokens(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front: 1 to 100, 20 if nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Only those that are neither revoked nor over; false: all.", default = true)] active: bool,
    ) -> Result<Connection<ApiToken, ApiTokenConnectionFields>> {
        let request = PageRequest { first, after, ..PageRequest::default() };
        let slice = token::list(ctx.app()?, &self.requester, &self.row, active, request).await?;
        let fields = ApiTokenConnectionFields::new(self.row.clone(), Arc::clone(&self.requester), active);
        Ok(connection(slice, fields, ApiToken))
    }
}

/// Whether an account can sign in.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "user::Status")]
pub enum UserStatus {
    /// It can.
    Active,
    /// An administrator has switched it off; its sessions are over.
    Disabled,
}

/// What a list of users has beside its edges.
pub struct UserConnectionFields {
    filter: Filter,
    requester: Arc<Requester>,
}

#[Object]
impl UserConnectionFields {
    /// How many users pass the filter; counted only when it is asked for.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<u64> {
        Ok(users::count(ctx.app()?, &self.requester, &self.filter).await?)
    }
}

/// Which users a list shows; all given conditions must hold.
#[derive(InputObject, Default)]
pub struct UserFilter {
    /// Part of the username, the e-mail address or the display name, in any spelling; at most 64 characters.
    search: Option<String>,
    /// The whole e-mail address, in any spelling.
    email: Option<String>,
    /// The name of a role they hold.
    role: Option<String>,
    /// Their status.
    status: Option<UserStatus>,
    /// Their tenant.
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

/// What a list of users is sorted by.
#[derive(InputObject)]
pub struct UserOrder {
    /// The property.
    field: UserOrderField,
    /// The direction.
    #[graphql(default_with = "OrderDirection::Asc")]
    direction: OrderDirection,
}

impl Default for UserOrder {
    fn default() -> Self {
        Self { field: UserOrderField::CreatedAt, direction: OrderDirection::Desc }
    }
}

/// Properties that users can be sorted by.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "Order")]
pub enum UserOrderField {
    /// When the account was made.
    CreatedAt,
    /// The username.
    Username,
    /// The e-mail address; accounts without one stand before all others.
    Email,
    /// The last login; accounts that never signed in stand before all others.
    #[graphql(name = "LAST_SIGN_IN_AT")]
    LastLogin,
}

/// Directions to sort in.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderDirection {
    /// Smallest, earliest first.
    Asc,
    /// Largest, latest first.
    Desc,
}

/// Queries for users.
#[derive(Default)]
pub struct UserQuery;

#[Object]
impl UserQuery {
    /// The signed-in user. Without credentials null and no error; with credentials that do not hold UNAUTHENTICATED,
    /// so that an expired token never looks like a logout.
    async fn me(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let requester = ctx.requester()?;
        if matches!(requester.identity, Identity::Anonymous) {
            return Ok(None);
        }
        let caller = requester.caller()?;
        Ok(Some(User::new(caller.user.clone(), Arc::clone(requester))))
    }

    /// One user by id, username or e-mail address (give exactly one of them); null if there is none.
    #[graphql(directive = guard::apply(rule::READ_USERS))]
    async fn user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id.")] id: Option<ID>,
        #[graphql(desc = "The username, in any spelling.")] username: Option<String>,
        #[graphql(desc = "The e-mail address, in any spelling.")] email: Option<String>,
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
                let problem = "give exactly one of id, username and email".to_owned();
                return Err(Error::BadUserInput { argument: "id", problem }.into());
            }
        };
        let found = users::get(ctx.app()?, requester, lookup).await?;
        Ok(found.map(|row| User::new(row, Arc::clone(requester))))
    }

    /// The users of one's own tenant (with the permission to see tenants: of all of them), page by page.
    #[graphql(directive = guard::apply(rule::READ_USERS), complexity = "weight(first.or(last), child_complexity)")]
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the front: 1 to 100, 20 if nothing is said.")] first: Option<i32>,
        #[graphql(desc = "Only those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end: 1 to 100; not together with first.")] last: Option<i32>,
        #[graphql(desc = "Only those in front of this cursor.")] before: Option<String>,
        #[graphql(desc = "Which users.")] filter: Option<UserFilter>,
        #[graphql(desc = "Sorted by what; newest first if nothing is said.", default)] order_by: UserOrder,
    ) -> Result<Connection<User, UserConnectionFields>> {
        let requester = ctx.requester()?;
        let filter = to_store_filter(ctx, filter).await?;
        let order = (Order::from(order_by.field), order_by.direction == OrderDirection::Desc);
        let request = PageRequest { first, after, last, before };
        let slice = users::list(ctx.app()?, requester, &filter, order, request).await?;
        let fields = UserConnectionFields { filter, requester: Arc::clone(requester) };
        Ok(connection(slice, fields, |row| User::new(row, Arc::clone(requester))))
    }
}
