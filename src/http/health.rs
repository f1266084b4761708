//! Health endpoints for monitoring: liveness and readiness.

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use serde_json::json;

use super::problem_details::problem;
use super::server::Shutdown;
use crate::app::App;

/// Liveness: the process runs.
pub(super) async fn liveness() -> Response<Body> {
    Json(json!({ "status": "ok" })).into_response()
}

/// Readiness: the database answers, its disk has space, and the server is not shutting down. The schema version was
/// checked at startup.
pub(super) async fn readiness(State(app): State<App>, shutdown: Option<Extension<Shutdown>>) -> Response<Body> {
    if shutdown.is_some_and(|Extension(shutdown)| shutdown.has_started()) {
        return problem(StatusCode::SERVICE_UNAVAILABLE, "NOT_READY", "the server is shutting down");
    }
    match app.db.ping().await {
        Ok(()) if app.db.is_below_free_space(app.config.server.min_free_bytes) => {
            problem(StatusCode::SERVICE_UNAVAILABLE, "NOT_READY", "the database disk is full")
        }
        Ok(()) => Json(json!({ "status": "ready" })).into_response(),
        Err(_) => problem(StatusCode::SERVICE_UNAVAILABLE, "NOT_READY", "the database is unavailable"),
    }
}
