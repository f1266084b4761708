//! Dialect of flask-auth-service-mongo: login bound to a role, logout, and a GraphQL schema.

use axum::routing::{get, post};
use axum::{Extension, Router};

use self::mount_context::MountContext;
use super::http_error::HttpError;
use super::mount::{allow_methods, nest_at};
use crate::app::App;
use crate::config::Mount;

mod authentication;
mod graphql_endpoint;
pub mod import;
mod login;
mod logout;
mod mount_context;
mod openapi;
pub mod schema;

pub(super) use openapi::describe;

/// The routes.
pub(super) fn router(mount: &Mount) -> Router<App> {
    let allow = |methods, allowed| allow_methods(methods, allowed, HttpError::method_not_allowed);
    let context = MountContext::new(mount);
    let routes = Router::new()
        .route("/login", allow(post(login::login), "OPTIONS, POST"))
        .route("/logout", allow(post(logout::logout), "OPTIONS, POST"))
        .route("/graphql", allow(get(graphql_endpoint::get).post(graphql_endpoint::post), "GET, HEAD, OPTIONS, POST"));
    nest_at(mount, routes).layer(Extension(context))
}
