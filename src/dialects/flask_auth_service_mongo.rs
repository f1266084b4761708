//! The auth-service dialect, for callers of flask_auth_service_mongo: login bound to a role, logout, a GraphQL schema.

use std::sync::{Arc, OnceLock};

use axum::http::header::ALLOW;
use axum::routing::{MethodRouter, get, post};
use axum::{Extension, Router};

use super::flask_auth_service_mongo::schema::Executor;
use super::http_error::HttpError;
use super::nest_at;
use crate::app::App;
use crate::config::Mount;

mod authentication;
mod graphql_endpoint;
pub mod import;
mod login;
mod logout;
mod openapi;
pub mod schema;

pub(super) use openapi::describe;

/// Where a request came in.
#[derive(Clone)]
struct MountContext {
    /// The role that the place is for.
    role: Option<Arc<str>>,
    /// What runs operations, once the first one comes.
    executor: Arc<OnceLock<Executor>>,
}

/// The routes.
pub(super) fn router(mount: &Mount) -> Router<App> {
    let place = MountContext { role: mount.role.as_deref().map(Arc::from), executor: Arc::default() };
    let routes = Router::new()
        .route("/login", allow_methods(post(login::login), "OPTIONS, POST"))
        .route("/logout", allow_methods(post(logout::logout), "OPTIONS, POST"))
        .route(
            "/graphql",
            allow_methods(get(graphql_endpoint::get).post(graphql_endpoint::post), "GET, HEAD, OPTIONS, POST"),
        );
    nest_at(mount, routes).layer(Extension(place))
}

/// Tells by OPTIONS which methods a route takes, and refuses others in the dialect's form.
fn allow_methods(methods: MethodRouter<App>, allowed: &'static str) -> MethodRouter<App> {
    methods.options(async move || [(ALLOW, allowed)]).fallback(async || HttpError::method_not_allowed())
}
