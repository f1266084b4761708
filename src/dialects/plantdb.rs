//! The PlantDB dialect: its auth REST API, with the paths of 0.15 and those of 0.16 and later under `/api/v1/auth`.

use axum::http::header::ALLOW;
use axum::routing::{MethodRouter, get, post};
use axum::{Extension, Router};

use super::{http_error, nest_at};
use crate::app::App;
use crate::config::Mount;

mod api_token;
mod body;
mod error;
pub mod import;
mod login;
mod logout;
mod openapi;
mod refresh;
mod register;
mod validation;

pub(super) use openapi::describe;

/// Whose paths a request came by; few answers differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Release {
    /// 0.15.
    Old,
    /// 0.16 and later.
    New,
}

/// The routes of both releases.
pub(super) fn router(mount: &Mount) -> Router<App> {
    nest_at(mount, routes(Release::Old).nest("/api/v1/auth", routes(Release::New)))
}

fn routes(release: Release) -> Router<App> {
    let [validation, refresh, api_token] = token_paths(release);
    Router::new()
        .route("/login", allow_methods(get(login::exists).post(login::login), "GET, HEAD, OPTIONS, POST"))
        .route("/logout", allow_methods(post(logout::logout), "OPTIONS, POST"))
        .route("/register", allow_methods(post(register::register), "OPTIONS, POST"))
        .route(validation, allow_methods(post(validation::validate), "OPTIONS, POST"))
        .route(refresh, allow_methods(post(refresh::refresh), "OPTIONS, POST"))
        .route(api_token, allow_methods(post(api_token::create), "OPTIONS, POST"))
        .layer(Extension(release))
}

/// Where tokens are validated, refreshed and made.
fn token_paths(release: Release) -> [&'static str; 3] {
    match release {
        Release::Old => ["/token-validation", "/token-refresh", "/create-api-token"],
        Release::New => ["/token/validation", "/token/refresh", "/token/create-api-token"],
    }
}

/// Tells by OPTIONS which methods a route takes, and refuses others in the dialect's form.
fn allow_methods(methods: MethodRouter<App>, allowed: &'static str) -> MethodRouter<App> {
    methods
        .options(async move || [(ALLOW, allowed)])
        .fallback(async || error::PlantdbError::from(http_error::HttpError::method_not_allowed()))
}
