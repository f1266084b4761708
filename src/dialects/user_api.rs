//! Dialect of `knlambert/user-api` 0.6: users, roles and customers, with the token in a cookie.

use axum::Router;
use axum::routing::{get, post};

use super::mount::{allow_methods, nest_at};
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

/// The routes at this mount.
pub(super) fn router(mount: &Mount) -> Router<App> {
    let allow = |methods, allowed| allow_methods(methods, allowed, error::method_not_allowed);
    let routes = Router::new()
        .route("/users/login", allow(post(login::login), "OPTIONS, POST"))
        .route("/users/token", allow(get(login::token), "GET, HEAD, OPTIONS"))
        .route("/users/logout", allow(get(login::logout).post(login::logout), "GET, HEAD, OPTIONS, POST"))
        .route("/users/reset-password", allow(post(password::reset), "OPTIONS, POST"))
        .route("/users/", allow(get(users::list).post(users::create), "GET, HEAD, OPTIONS, POST"))
        .route("/users/{id}", allow(get(users::get).put(users::update), "GET, HEAD, OPTIONS, PUT"))
        .route("/roles/", allow(get(roles::list), "GET, HEAD, OPTIONS"));
    // Flask redirects paths without the slash. Outside the nest, because nested handlers see no path prefix.
    nest_at(mount, routes)
        .route(
            &mount.join("/users"),
            allow(get(error::redirect_with_slash).post(error::redirect_with_slash), "GET, HEAD, OPTIONS, POST"),
        )
        .route(&mount.join("/roles"), allow(get(error::redirect_with_slash), "GET, HEAD, OPTIONS"))
}
