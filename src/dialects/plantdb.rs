//! Dialect of PlantDB's auth REST API: paths of 0.15, and those of 0.16 and later below `/api/v1/auth`.

use axum::routing::{get, post};
use axum::{Extension, Router};

use self::error::PlantdbError;
use self::release::Release;
use super::http_error::HttpError;
use super::mount::{allow_methods, nest_at};
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
mod release;
mod validation;

pub(super) use openapi::describe;

/// The routes of both releases.
pub(super) fn router(mount: &Mount) -> Router<App> {
    nest_at(mount, routes(Release::Old).nest("/api/v1/auth", routes(Release::New)))
}

fn routes(release: Release) -> Router<App> {
    let refuse = || PlantdbError::from(HttpError::method_not_allowed());
    let allow = |methods, allowed| allow_methods(methods, allowed, refuse);
    let [validation, refresh, api_token] = release.token_paths();
    Router::new()
        .route("/login", allow(get(login::exists).post(login::login), "GET, HEAD, OPTIONS, POST"))
        .route("/logout", allow(post(logout::logout), "OPTIONS, POST"))
        .route("/register", allow(post(register::register), "OPTIONS, POST"))
        .route(validation, allow(post(validation::validate), "OPTIONS, POST"))
        .route(refresh, allow(post(refresh::refresh), "OPTIONS, POST"))
        .route(api_token, allow(post(api_token::create), "OPTIONS, POST"))
        .layer(Extension(release))
}
