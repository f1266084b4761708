//! Endpoints for gateways that verify access tokens: the revocation list, and token introspection (RFC 7662).

use axum::Router;
use axum::routing::{get, post};

use crate::app::App;
use crate::config::Rest;

mod error;
mod introspection;
mod openapi;
mod revocations;

pub use openapi::describe;

/// The routes; `/introspect` only if a secret for it is set.
pub fn router(settings: &Rest) -> Router<App> {
    let routes = Router::new().route("/.well-known/revocations", get(revocations::revocations));
    match settings.token_introspection_secret {
        Some(_) => routes.route("/introspect", post(introspection::introspect)),
        None => routes,
    }
}
