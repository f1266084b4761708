//! What machines ask: is the process alive, is it ready, which keys sign its tokens.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use serde_json::json;

use super::error::problem;
use crate::app::App;

/// The process runs.
pub(super) async fn alive() -> Response<Body> {
    Json(json!({ "status": "ok" })).into_response()
}

/// The database answers; its version was checked at start.
pub(super) async fn ready(State(app): State<App>) -> Response<Body> {
    match app.db.ping().await {
        Ok(()) => Json(json!({ "status": "ready" })).into_response(),
        Err(_) => problem(StatusCode::SERVICE_UNAVAILABLE, "NOT_READY", "the database does not answer"),
    }
}

/// The public keys (RFC 7517); verifiers may keep them for five minutes.
pub(super) async fn jwks(State(app): State<App>) -> Response<Body> {
    ([(CACHE_CONTROL, "public, max-age=300")], Json(app.keys.published())).into_response()
}
