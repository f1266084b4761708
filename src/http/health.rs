//! What machines ask: is the process alive, is it ready, which keys sign its tokens.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use serde_json::json;

use super::problem_details::problem;
use super::server::Shutdown;
use crate::app::App;

/// The process runs.
pub(super) async fn liveness() -> Response<Body> {
    Json(json!({ "status": "ok" })).into_response()
}

/// The database answers, whose version was checked at start, its disk has room, and the server is not stopping.
pub(super) async fn readiness(State(app): State<App>, shutdown: Option<Extension<Shutdown>>) -> Response<Body> {
    if shutdown.is_some_and(|Extension(stop)| stop.has_started()) {
        return problem(StatusCode::SERVICE_UNAVAILABLE, "NOT_READY", "the server is stopping");
    }
    match app.db.ping().await {
        Ok(()) if app.db.is_below_free_space(app.config.server.min_free_bytes) => {
            problem(StatusCode::SERVICE_UNAVAILABLE, "NOT_READY", "the disk of the database is full")
        }
        Ok(()) => Json(json!({ "status": "ready" })).into_response(),
        Err(_) => problem(StatusCode::SERVICE_UNAVAILABLE, "NOT_READY", "the database does not answer"),
    }
}

/// The public keys (RFC 7517); verifiers may keep them for five minutes.
pub(super) async fn jwks(State(app): State<App>) -> Response<Body> {
    ([(CACHE_CONTROL, "public, max-age=300")], Json(app.keys.jwk_set())).into_response()
}
