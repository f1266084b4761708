//! `node`: any object by its id.

use std::sync::Arc;

use async_graphql::{Context, ID, Interface, Object};

use super::api_token::ApiToken;
use super::context::ContextExt;
use super::error::Result;
use super::guard::guard;
use super::role::Role;
use super::session::Session;
use super::tenant::Tenant;
use super::user::User;
use crate::account::access::{role, rule, tenant};
use crate::account::api_token::token;
use crate::account::authentication::session;
use crate::account::user::id::{ApiTokenId, RoleId, SessionId, TenantId, UserId};
use crate::account::user::query;
use crate::error::{Error, Refusal, RefusalCode};

/// What has an id of its own: `usr_…`, `ses_…`, `tok_…`, `rol_…`, `ten_…`.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "The id; unique over all types."))]
pub enum Node {
    /// A user.
    User(User),
    /// A session.
    Session(Session),
    /// An API token.
    ApiToken(ApiToken),
    /// A role.
    Role(Role),
    /// A tenant.
    Tenant(Tenant),
}

/// The id that `text` is meant to be.
pub(super) fn parse_object_id<T: std::str::FromStr>(text: &ID, field: &'static str) -> std::result::Result<T, Error> {
    let missing = || Refusal::new(RefusalCode::NotFound, "there is nothing with this id").for_field(field);
    Ok(text.parse().map_err(|_| missing())?)
}

/// Queries for anything.
#[derive(Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// The object with this id. What does not exist and what the caller may not see are both null.
    #[graphql(directive = guard::apply(rule::READ_NODE))]
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "The object's id.")] id: ID) -> Result<Option<Node>> {
        let (app, requester) = (ctx.app()?, ctx.requester()?);
        requester.authorize(rule::READ_NODE)?;
        if let Ok(id) = id.parse::<UserId>() {
            let found = query::find(app, requester, id).await?;
            return Ok(found.map(|row| Node::User(User::new(row, Arc::clone(requester)))));
        }
        if let Ok(id) = id.parse::<SessionId>() {
            let found = session::find(app, requester, id).await?;
            return Ok(found.map(|(row, _)| Node::Session(Session::new(row, Arc::clone(requester)))));
        }
        if let Ok(id) = id.parse::<ApiTokenId>() {
            let found = token::find(app, requester, id).await?;
            return Ok(found.map(|token| Node::ApiToken(ApiToken(token))));
        }
        if let Ok(id) = id.parse::<RoleId>() {
            let found = role::find(app, requester, id).await?;
            return Ok(found.map(|role| Node::Role(Role(role))));
        }
        if let Ok(id) = id.parse::<TenantId>() {
            let found = tenant::find(app, requester, id).await?;
            return Ok(found.map(|row| Node::Tenant(Tenant(row))));
        }
        Ok(None)
    }
}
