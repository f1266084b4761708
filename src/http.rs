//! The router: every route and the layers around it, outermost first.

use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use axum::{Extension, Router};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;

use crate::app::App;
use crate::error::{Error, Result};
use crate::graphql::Executor;
use crate::rest;

mod address;
mod authorization;
pub mod claims;
mod console;
mod content;
mod cookies;
mod cors;
mod current_user;
mod deadline;
mod endpoint;
mod error;
mod frame;
mod headers;
mod health;
mod log;
pub mod openapi;
mod origin;
mod playground;
mod require;
pub mod server;
mod socket;
mod visitor;

pub use current_user::CurrentUser;
pub use require::{RequireLayer, RequireService, require_permission, require_role};

/// Every route of the service and what it answers to, for those who embed it and for those who check it. It brings its
/// own state, so that it can be nested in a router of any other.
///
/// # Errors
/// When two dialects claim the same route, or the routes cannot be described.
pub fn router<S: Clone + Send + Sync + 'static>(app: App) -> Result<Router<S>> {
    claims::check(&app.config.rest).map_err(Error::internal)?;
    let handler = endpoint::GraphqlHandler::new(Executor::new(&app.config.graphql));
    let document = openapi::document(&app.config.rest).map_err(Error::internal)?.into();
    let routes = Router::new()
        .route("/graphql", get(endpoint::get).post(endpoint::post))
        .route("/healthz", get(health::liveness))
        .route("/readyz", get(health::readiness))
        .route("/.well-known/jwks.json", get(health::jwks))
        .route("/openapi.json", get(move || openapi::serve(document)))
        .merge(rest::gateway::router(app.config.rest.token_introspection_secret.is_some()))
        .merge(console::routes())
        .merge(rest::router(&app.config.rest))
        .layer(Extension(handler));
    Ok(with_middleware(routes, app))
}

/// What holds for every route and for those that are not there: for those who add routes of their own.
pub fn with_middleware<S: Clone + Send + Sync + 'static>(routes: Router<App>, app: App) -> Router<S> {
    routes
        .fallback(error::not_found)
        .method_not_allowed_fallback(error::method_not_allowed)
        .with_state(app.clone())
        .layer(
            ServiceBuilder::new()
                .layer(from_fn_with_state(app, frame::handle))
                .layer(CatchPanicLayer::custom(error::panicked))
                .layer(DefaultBodyLimit::max(deadline::MAX_BODY_BYTES)),
        )
}
