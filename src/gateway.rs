//! What gateways ask, who verify access tokens for other services: what was revoked, and what one token is worth.

use axum::Router;
use axum::routing::{get, post};

use crate::app::App;

mod error;
mod introspection;
mod openapi;
mod revocations;

pub use openapi::describe;

/// The routes; introspection only where a secret for it is set.
pub fn router(with_introspection: bool) -> Router<App> {
    let routes = Router::new().route("/.well-known/revocations", get(revocations::revocations));
    if with_introspection { routes.route("/introspect", post(introspection::introspect)) } else { routes }
}
