//! The REST faces: which dialect is mounted where.

use axum::Router;
use utoipa::openapi::OpenApi;

use crate::app::App;
use crate::error::Result;

pub mod openapi;
mod plantdb;

/// The routes of every dialect that is switched on.
///
/// # Errors
/// When two dialects claim the same route, which one alone cannot.
pub fn router(app: &App) -> Result<Router<App>> {
    let mut router = Router::new();
    if let Some(path) = &app.config.rest.plantdb {
        router = mounted(router, path.as_str(), plantdb::router());
    }
    Ok(router)
}

/// What the routes of the dialects take and answer; `plantdb` is where that dialect is mounted.
pub fn describe(plantdb: Option<&str>) -> OpenApi {
    plantdb.map(|path| plantdb::describe(path.trim_end_matches('/'))).unwrap_or_default()
}

fn mounted(router: Router<App>, path: &str, dialect: Router<App>) -> Router<App> {
    // axum has no nesting at the root.
    if path == "/" { router.merge(dialect) } else { router.nest(path, dialect) }
}
