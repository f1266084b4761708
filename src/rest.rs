//! The REST faces: which dialect is mounted where.

use axum::Router;

use crate::app::App;
use crate::error::Result;

/// The routes of every dialect that is switched on.
///
/// # Errors
/// When two dialects claim the same route.
pub fn router(_app: &App) -> Result<Router<App>> {
    Ok(Router::new())
}
