//! Routes at a mount path, and the methods of each.

use axum::Router;
use axum::http::header::ALLOW;
use axum::response::IntoResponse;
use axum::routing::MethodRouter;

use crate::app::App;
use crate::config::Mount;

/// Nests a dialect's routes at its mount path.
pub(super) fn nest_at(mount: &Mount, routes: Router<App>) -> Router<App> {
    // axum refuses to nest at the root.
    if mount.path.as_str() == "/" { routes } else { Router::new().nest(mount.path.as_str(), routes) }
}

/// Answers OPTIONS with the allowed methods, and other methods with `refuse`, the dialect's 405.
pub(super) fn allow_methods<R: IntoResponse + 'static>(
    methods: MethodRouter<App>,
    allowed: &'static str,
    refuse: fn() -> R,
) -> MethodRouter<App> {
    methods.options(async move || [(ALLOW, allowed)]).fallback(async move || refuse())
}
