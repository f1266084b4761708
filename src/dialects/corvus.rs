//! Dialect of Corvus: user tokens for a username and password, sent as `X-Auth-Token`; users by page and by name.

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{get, post};

use super::http_error::HttpError;
use super::mount::{allow_methods, nest_at};
use crate::app::App;
use crate::config::Mount;

mod credentials;
mod negotiation;
mod openapi;
mod path;
mod time;
mod token;
mod user;

pub(super) use openapi::describe;

/// The routes of tokens and of users at this mount.
pub(super) fn router(mount: &Mount) -> Router<App> {
    let allow = |methods, allowed| allow_methods(methods, allowed, HttpError::method_not_allowed);
    let tokens = Router::new()
        .route("/login", allow(post(token::login), "OPTIONS, POST"))
        .route("/bump", allow(post(token::bump), "OPTIONS, POST"))
        .route("/logout", allow(post(token::logout), "OPTIONS, POST"));
    let users = path::users(mount);
    nest_at(mount, tokens)
        .route(&users, allow(get(user::list), "GET, HEAD, OPTIONS"))
        .route(&format!("{users}/{{name}}"), allow(get(user::find).patch(user::update), "GET, HEAD, OPTIONS, PATCH"))
        .layer(from_fn(negotiation::negotiate))
}
