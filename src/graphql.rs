//! The GraphQL API: the core schema, its executor and limits, and one file per capability, which maps fields to use
//! cases.

use async_graphql::{MergedObject, SDLExportOptions, Schema, SchemaBuilder, ValidationMode};

mod account_events;
mod administration;
mod api_token;
pub(crate) mod context;
pub(crate) mod document;
pub(crate) mod document_cache;
pub mod error;
mod event_source;
mod executor;
mod guard;
pub(crate) mod limits;
mod login;
mod logout;
mod node;
pub(crate) mod null_propagation;
mod object_id;
mod page;
mod password;
mod profile;
mod refresh;
mod register;
mod response_cookies;
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
pub use response_cookies::{CookieUpdate, ResponseCookies};
pub use subscription::Subscription;

/// Read operations.
#[derive(MergedObject, Default)]
pub struct Query(
    user::query::UserQuery,
    api_token::ApiTokenQuery,
    role::RoleQuery,
    tenant::TenantQuery,
    node::NodeQuery,
);

/// Write operations. Errors that the user can correct are returned in the payload's `errors`; a query that does not
/// select `errors` gets them as a top-level error with the same code and path.
#[derive(MergedObject, Default)]
pub struct Mutation(
    register::RegisterMutation,
    login::LoginMutation,
    refresh::RefreshMutation,
    logout::LogoutMutation,
    password::PasswordMutation,
    profile::ProfileMutation,
    session::SessionMutation,
    api_token::mutation::ApiTokenMutation,
    administration::AdministrationMutation,
    role::RoleMutation,
    tenant::TenantMutation,
);

/// The schema builder without context data, which suffices to print the SDL.
pub fn builder() -> SchemaBuilder<Query, Mutation, Subscriptions> {
    Schema::build(Query::default(), Mutation::default(), Subscriptions)
        .register_output_type::<node::Node>()
        // Suggestions would reveal the schema where introspection is closed.
        .disable_suggestions()
        .limit_recursive_depth(document::cost::MAX_NESTING + 1)
        // `document` has validated the document before.
        .validation_mode(ValidationMode::Fast)
}

/// The schema in the schema definition language (SDL): the contract with clients.
pub fn sdl() -> String {
    let options = SDLExportOptions::new()
        .include_specified_by()
        .prefer_single_line_descriptions()
        .use_space_ident()
        .indent_width(2);
    builder().finish().sdl_with_options(options)
}
