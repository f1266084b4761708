//! The Corvus dialect: user tokens for a name and a password, sent as `X-Auth-Token`; users by page and by name.

use axum::Router;
use axum::http::header::ALLOW;
use axum::middleware::from_fn;
use axum::routing::{MethodRouter, get, post};

use super::failure::Failure;
use super::mounted;
use crate::app::App;
use crate::config::Mount;

mod accept;
mod credentials;
mod openapi;
mod token;
mod user;

pub(super) use openapi::describe;

/// The routes of tokens and of users.
pub(super) fn router(mount: &Mount) -> Router<App> {
    let tokens = Router::new()
        .route("/login", only(post(token::login), "OPTIONS, POST"))
        .route("/bump", only(post(token::bump), "OPTIONS, POST"))
        .route("/logout", only(post(token::logout), "OPTIONS, POST"));
    let users = users(mount);
    mounted(mount, tokens)
        .route(&users, only(get(user::list), "GET, HEAD, OPTIONS"))
        .route(&format!("{users}/{{name}}"), only(get(user::find).patch(user::update), "GET, HEAD, OPTIONS, PATCH"))
        .layer(from_fn(accept::negotiate))
}

/// Where the users are: at `/user` beside a mount like `/auth`, as in the old service, and below any other.
fn users(mount: &Mount) -> String {
    match mount.path.as_str().strip_suffix("/auth") {
        Some(above) => format!("{above}/user"),
        None => mount.under("/user"),
    }
}

/// Tells by OPTIONS which methods a route takes, and refuses others in the dialect's form.
fn only(methods: MethodRouter<App>, allowed: &'static str) -> MethodRouter<App> {
    methods.options(async move || [(ALLOW, allowed)]).fallback(async || Failure::method_not_allowed())
}
