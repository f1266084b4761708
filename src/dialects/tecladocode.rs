//! The tecladocode dialect: the users of the course "REST APIs with Flask", as its Flask-RESTful version has them.

use axum::Router;
use axum::http::header::ALLOW;
use axum::routing::{MethodRouter, get, post};

use super::http_error::HttpError;
use super::nest_at;
use crate::app::App;
use crate::config::Mount;

mod arguments;
mod error;
pub mod import;
mod login;
mod logout;
mod openapi;
mod refresh;
mod register;
mod user;

pub(super) use openapi::describe;

/// Everything under one path.
pub(super) fn router(mount: &Mount) -> Router<App> {
    let users = get(user::show).delete(user::delete);
    let routes = Router::new()
        .route("/register", allow_methods(post(register::register), "OPTIONS, POST"))
        .route("/login", allow_methods(post(login::login), "OPTIONS, POST"))
        .route("/refresh", allow_methods(post(refresh::refresh), "OPTIONS, POST"))
        .route("/logout", allow_methods(post(logout::logout), "OPTIONS, POST"))
        .route("/user/{id}", allow_methods(users, "DELETE, GET, HEAD, OPTIONS"));
    nest_at(mount, routes)
}

/// Tells by OPTIONS which methods a route takes, and refuses others in the dialect's form.
fn allow_methods(methods: MethodRouter<App>, allowed: &'static str) -> MethodRouter<App> {
    methods.options(async move || [(ALLOW, allowed)]).fallback(async || HttpError::method_not_allowed())
}
