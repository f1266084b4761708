//! The router: every route and the middleware around it, outermost first.

use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use axum::{Extension, Router};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;

use crate::app::App;
use crate::dialects;
use crate::error::{Error, Result};
use crate::gateway;
use crate::graphql::Executor;

mod embed;
mod graphql_endpoint;
mod health;
mod middleware;
pub mod openapi;
mod pages;
mod problem_details;
mod request;
pub mod route_conflicts;
pub mod server;
mod well_known;

pub use embed::current_user::CurrentUser;
pub use embed::require::{RequireLayer, RequireService, require_permission, require_role};

/// Every route of the service, for embedding applications and for tests. It carries its own state, so it nests in a
/// router with any other state.
///
/// # Errors
/// When two dialects claim the same route, or the OpenAPI document cannot be built.
pub fn router<S: Clone + Send + Sync + 'static>(app: App) -> Result<Router<S>> {
    route_conflicts::check(&app.config.rest).map_err(Error::internal)?;
    let handler = graphql_endpoint::GraphqlHandler::new(Executor::new(&app.config.graphql));
    let document = openapi::document(&app.config.rest).map_err(Error::internal)?.into();
    let routes = Router::new()
        .route("/graphql", get(graphql_endpoint::get).post(graphql_endpoint::post))
        .route("/healthz", get(health::liveness))
        .route("/readyz", get(health::readiness))
        .route("/.well-known/jwks.json", get(well_known::jwks))
        .route("/openapi.json", get(move || openapi::serve(document)))
        .merge(gateway::router(&app.config.rest))
        .merge(pages::console::routes())
        .merge(dialects::router(&app.config.rest))
        .layer(Extension(handler));
    Ok(with_middleware(routes, app))
}

/// Adds the middleware and the fallbacks to `routes`; public for tests that add routes of their own.
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
