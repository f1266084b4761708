//! The GraphQL face: one file per capability, each a translation from the schema to one use case.

use async_graphql::{MergedObject, SDLExportOptions, Schema, SchemaBuilder, ValidationMode};

mod administration;
mod api_token;
pub mod auth_service;
mod completion;
mod context;
mod documents;
pub mod error;
mod events;
mod face;
mod guard;
mod introspection;
mod limits;
mod login;
mod logout;
mod node;
mod page;
mod password;
mod profile;
mod refresh;
mod register;
pub mod response_limit;
mod role;
mod session;
mod subscription;
mod tenant;
mod time;
mod tokens;
mod user;

pub use documents::Document;
pub use events::Subscription as Subscriptions;
pub use face::Executor;
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
