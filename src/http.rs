//! The router: every route and the layers around it, outermost first.

use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use axum::{Extension, Router};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;

use crate::app::App;
use crate::dialects;
use crate::error::{Error, Result};
use crate::graphql::Executor;

pub mod embed;
mod graphql_endpoint;
mod health;
mod middleware;
pub mod openapi;
pub mod pages;
mod problem_details;
pub mod request;
pub mod route_conflicts;
pub mod server;

pub use embed::current_user::CurrentUser;
pub use embed::require::{RequireLayer, RequireService, require_permission, require_role};

/// Every route of the service and what it answers to, for those who embed it and for those who check it. It brings its
/// own state, so that it can be nested in a router of any other.
///
/// # Errors
/// When two dialects claim the same route, or the routes cannot be described.
pub fn router<S: Clone + Send + Sync + 'static>(app: App) -> Result<Router<S>> {
    route_conflicts::check(&app.config.rest).map_err(Error::internal)?;
    let handler = graphql_endpoint::GraphqlHandler::new(Executor::new(&app.config.graphql));
    let document = openapi::document(&app.config.rest).map_err(Error::internal)?.into();
    let routes = Router::new()
        .route("/graphql", get(graphql_endpoint::get).post(graphql_endpoint::post))
        .route("/healthz", get(health::liveness))
        .route("/readyz", get(health::readiness))
        .route("/.well-known/jwks.json", get(health::jwks))
        .route("/openapi.json", get(move || openapi::serve(document)))
        .merge(crate::gateway::router(app.config.rest.token_introspection_secret.is_some()))
        .merge(pages::console::routes())
        .merge(dialects::router(&app.config.rest))
        .layer(Extension(handler));
    Ok(with_middleware(routes, app))
}

/// What holds for every route and for those that are not there: for those who add routes of their own.
pub fn with_middleware<S: Clone + Send + Sync + 'static>(routes: Router<App>, app: App) -> Router<S> {
    routes
        .fallback(problem_details::not_found)
        .method_not_allowed_fallback(problem_details::method_not_allowed)
        .with_state(app.clone())
        .layer(
            ServiceBuilder::new()
                .layer(from_fn_with_state(app, middleware::handle))
                .layer(CatchPanicLayer::custom(problem_details::panicked))
                .layer(DefaultBodyLimit::max(middleware::timeout::MAX_BODY_BYTES)),
        )
}
