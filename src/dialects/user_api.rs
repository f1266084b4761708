//! The user-api dialect: users, roles and customers of `knlambert/user-api` 0.6, whose token travels in a cookie.

use axum::Router;
use axum::http::header::ALLOW;
use axum::routing::{MethodRouter, get, post};

use super::nest_at;
use crate::app::App;
use crate::config::Mount;

mod credentials;
mod document;
mod error;
pub mod import;
mod login;
mod openapi;
mod password;
mod query;
mod representation;
mod roles;
mod users;

pub(super) use openapi::describe;

/// The routes in this place.
pub(super) fn router(mount: &Mount) -> Router<App> {
    let routes = Router::new()
        .route("/users/login", allow_methods(post(login::login), "OPTIONS, POST"))
        .route("/users/token", allow_methods(get(login::token), "GET, HEAD, OPTIONS"))
        .route("/users/logout", allow_methods(get(login::logout).post(login::logout), "GET, HEAD, OPTIONS, POST"))
        .route("/users/reset-password", allow_methods(post(password::reset), "OPTIONS, POST"))
        .route("/users/", allow_methods(get(users::list).post(users::create), "GET, HEAD, OPTIONS, POST"))
        .route("/users/{id}", allow_methods(get(users::get).put(users::update), "GET, HEAD, OPTIONS, PUT"))
        .route("/roles/", allow_methods(get(roles::list), "GET, HEAD, OPTIONS"));
    // Flask sends on who forgets the slash. Beside the nest, or the place would be missing in the path.
    nest_at(mount, routes)
        .route(
            &mount.join("/users"),
            allow_methods(get(error::redirect_with_slash).post(error::redirect_with_slash), "GET, HEAD, OPTIONS, POST"),
        )
        .route(&mount.join("/roles"), allow_methods(get(error::redirect_with_slash), "GET, HEAD, OPTIONS"))
}

/// Tells by OPTIONS which methods a route takes, and refuses others as Flask does.
fn allow_methods(methods: MethodRouter<App>, allowed: &'static str) -> MethodRouter<App> {
    methods.options(async move || [(ALLOW, allowed)]).fallback(async || error::method_not_allowed())
}
