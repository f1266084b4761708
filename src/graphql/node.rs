//! `node`: any object by its id (Relay Global Object Identification Specification).

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
use crate::account::access::rule;
use crate::account::administration::{role, tenant};
use crate::account::api_token::token;
use crate::account::authentication::session_query;
use crate::account::names::id::{ApiTokenId, RoleId, SessionId, TenantId, UserId};
use crate::account::user::query;

/// An object with a global id: `usr_…`, `ses_…`, `tok_…`, `rol_…` or `ten_…`.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "The id; unique across all types."))]
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

/// Queries for objects of any type.
#[derive(Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// The object with this id; null if it does not exist or the caller may not read it.
    #[graphql(directive = guard::apply(rule::READ_NODE))]
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "The object's id.")] id: ID) -> Result<Option<Node>> {
        let (app, requester) = (ctx.app()?, ctx.requester()?);
        requester.authorize(rule::READ_NODE)?;
        if let Ok(id) = id.parse::<UserId>() {
            let found = query::find(app, requester, id).await?;
            return Ok(found.map(|row| Node::User(User::new(row, Arc::clone(requester)))));
        }
        if let Ok(id) = id.parse::<SessionId>() {
            let found = session_query::find(app, requester, id).await?;
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
