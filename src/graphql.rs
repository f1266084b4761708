//! The GraphQL face: one file per capability, each a translation from the schema to one use case.

use async_graphql::{MergedObject, SDLExportOptions, Schema, SchemaBuilder, ValidationMode};

mod account_events;
mod administration;
mod api_token;
pub(crate) mod context;
pub(crate) mod document;
pub mod error;
mod executor;
mod guard;
pub(crate) mod limits;
mod login;
mod logout;
mod node;
pub(crate) mod null_propagation;
mod page;
mod password;
mod profile;
mod refresh;
mod register;
mod role;
mod session;
mod subscription;
mod tenant;
mod time;
mod token_pair;
mod user;

pub use account_events::Subscription as Subscriptions;
pub use document::Document;
pub use executor::Executor;
pub use subscription::Subscription;

/// What can be asked.
#[derive(MergedObject, Default)]
pub struct Query(user::UserQuery, api_token::ApiTokenQuery, role::RoleQuery, tenant::TenantQuery, node::NodeQuery);

/// What can be done.
#[derive(MergedObject, Default)]
pub struct Mutation(
    register::RegisterMutation,
    login::LoginMutation,
    refresh::RefreshMutation,
    logout::LogoutMutation,
    password::PasswordMutation,
    profile::ProfileMutation,
    session::SessionMutation,
    api_token::ApiTokenMutation,
    administration::AdministrationMutation,
    role::RoleMutation,
    tenant::TenantMutation,
);

/// The schema without any data, enough to print it.
pub fn builder() -> SchemaBuilder<Query, Mutation, Subscriptions> {
    Schema::build(Query::default(), Mutation::default(), Subscriptions)
        .register_output_type::<node::Node>()
        // Suggestions would tell the schema to those who may not read it.
        .disable_suggestions()
        .limit_recursive_depth(limits::MAX_NESTING + 1)
        // Documents are validated before.
        .validation_mode(ValidationMode::Fast)
}

/// The schema in the GraphQL schema definition language: the contract with every client.
pub fn sdl() -> String {
    let options = SDLExportOptions::new()
        .include_specified_by()
        .prefer_single_line_descriptions()
        .use_space_ident()
        .indent_width(2);
    builder().finish().sdl_with_options(options)
}
