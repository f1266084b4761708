//! Root types, builder and SDL of the schema.

use async_graphql::{EmptySubscription, MergedObject, Schema, SchemaBuilder, ValidationMode};

use super::administration::AdministrationMutation;
use super::node::NodeQuery;
use super::password::PasswordMutation;
use super::refresh::TokenMutation;
use super::role::RoleQuery;
use super::user::UserQuery;
use crate::graphql::document::cost::MAX_NESTING;

/// Read operations.
#[derive(MergedObject, Default)]
#[graphql(name = "Query")]
pub struct Query(NodeQuery, UserQuery, RoleQuery);

/// Write operations.
#[derive(MergedObject, Default)]
#[graphql(name = "Mutation")]
pub struct Mutation(AdministrationMutation, PasswordMutation, TokenMutation);

/// The builder of the schema, with the limits that no setting changes.
pub(super) fn builder() -> SchemaBuilder<Query, Mutation, EmptySubscription> {
    Schema::build(Query::default(), Mutation::default(), EmptySubscription)
        .limit_recursive_depth(MAX_NESTING + 1)
        // `graphql::document` has validated the document before.
        .validation_mode(ValidationMode::Fast)
}

/// The schema in the schema definition language (SDL).
pub fn sdl() -> String {
    builder().finish().sdl()
}
