//! `node`: a user or a role by its global id.

use std::sync::Arc;

use async_graphql::{Context, ID, Interface, Object};

use super::error::Result;
use super::global_id;
use super::role::{self, Role};
use super::user::{self, User};
use crate::account::administration::role as roles;
use crate::account::user::query as users;
use crate::graphql::context::ContextExt;

/// An object with a global id.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "The global id."))]
pub enum Node {
    /// A user.
    User(User),
    /// A role.
    Role(Role),
}

/// Queries for objects of any type.
#[derive(Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// The object with this id; null if it does not exist or the caller may not read it.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The global id of the object.")] id: ID,
    ) -> Result<Option<Node>> {
        let (app, requester) = (ctx.app()?, ctx.requester()?);
        requester.authorize(crate::account::access::rule::READ_NODE)?;
        if let Ok(id) = global_id::parse(user::KIND, &id) {
            let found = users::find(app, requester, id).await?;
            return Ok(found.map(|row| Node::User(User::new(row, Arc::clone(requester)))));
        }
        if let Ok(id) = global_id::parse(role::KIND, &id) {
            return Ok(roles::find(app, requester, id).await?.map(|role| Node::Role(Role(role))));
        }
        Ok(None)
    }
}
