//! Dialect of the tecladocode course "REST APIs with Flask": its users, in the Flask-RESTful version.

use axum::Router;
use axum::routing::{get, post};

use super::http_error::HttpError;
use super::mount::{allow_methods, nest_at};
use crate::app::App;
use crate::config::Mount;

mod arguments;
mod authentication;
mod error;
pub mod import;
mod login;
mod logout;
mod openapi;
mod refresh;
mod register;
mod user;

pub(super) use openapi::describe;

/// The routes at this mount.
pub(super) fn router(mount: &Mount) -> Router<App> {
    let allow = |methods, allowed| allow_methods(methods, allowed, HttpError::method_not_allowed);
    let users = get(user::show).delete(user::delete);
    let routes = Router::new()
        .route("/register", allow(post(register::register), "OPTIONS, POST"))
        .route("/login", allow(post(login::login), "OPTIONS, POST"))
        .route("/refresh", allow(post(refresh::refresh), "OPTIONS, POST"))
        .route("/logout", allow(post(logout::logout), "OPTIONS, POST"))
        .route("/user/{id}", allow(users, "DELETE, GET, HEAD, OPTIONS"));
    nest_at(mount, routes)
}
