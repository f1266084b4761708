//! The Corvus dialect: user tokens for a name and a password, sent as `X-Auth-Token`; users by page and by name.

use axum::Router;
use axum::http::header::ALLOW;
use axum::middleware::from_fn;
use axum::routing::{MethodRouter, get, post};

use super::http_error::HttpError;
use super::nest_at;
use crate::app::App;
use crate::config::Mount;

mod credentials;
mod negotiation;
mod openapi;
mod token;
mod user;

pub(super) use openapi::describe;

/// The routes of tokens and of users.
pub(super) fn router(mount: &Mount) -> Router<App> {
    let tokens = Router::new()
        .route("/login", allow_methods(post(token::login), "OPTIONS, POST"))
        .route("/bump", allow_methods(post(token::bump), "OPTIONS, POST"))
        .route("/logout", allow_methods(post(token::logout), "OPTIONS, POST"));
    let users = users_path(mount);
    nest_at(mount, tokens)
        .route(&users, allow_methods(get(user::list), "GET, HEAD, OPTIONS"))
        .route(
            &format!("{users}/{{name}}"),
            allow_methods(get(user::find).patch(user::update), "GET, HEAD, OPTIONS, PATCH"),
        )
        .layer(from_fn(negotiation::negotiate))
}

/// Where the users are: at `/user` beside a mount like `/auth`, as in the old service, and below any other.
fn users_path(mount: &Mount) -> String {
    match mount.path.as_str().strip_suffix("/auth") {
        Some(above) => format!("{above}/user"),
        None => mount.join("/user"),
    }
}

/// Tells by OPTIONS which methods a route takes, and refuses others in the dialect's form.
fn allow_methods(methods: MethodRouter<App>, allowed: &'static str) -> MethodRouter<App> {
    methods.options(async move || [(ALLOW, allowed)]).fallback(async || HttpError::method_not_allowed())
}
