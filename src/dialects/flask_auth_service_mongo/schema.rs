//! The schema of the auth-service dialect: that of flask_auth_service_mongo, which its callers were written against.
//!
//! Names, nullability and texts are the old ones; `rest/auth_service` serves it under the old paths.

use async_graphql::{EmptySubscription, MergedObject, Schema, SchemaBuilder, ValidationMode};

mod administration;
mod error;
mod executor;
mod global_id;
mod node;
mod page;
mod password;
mod refresh;
mod role;
mod user;

pub use executor::{ExecutionResult, Executor, OperationRequest};

/// What can be asked.
#[derive(MergedObject, Default)]
#[graphql(name = "Query")]
pub struct Query(node::NodeQuery, user::UserQuery, role::RoleQuery);

/// What can be done.
#[derive(MergedObject, Default)]
#[graphql(name = "Mutation")]
pub struct Mutation(administration::AdministrationMutation, password::PasswordMutation, refresh::TokenMutation);

fn builder() -> SchemaBuilder<Query, Mutation, EmptySubscription> {
    Schema::build(Query::default(), Mutation::default(), EmptySubscription)
        .limit_recursive_depth(crate::graphql::limits::MAX_NESTING + 1)
        // Documents are validated before.
        .validation_mode(ValidationMode::Fast)
}

/// The schema in the GraphQL schema definition language.
pub fn sdl() -> String {
    builder().finish().sdl()
}
