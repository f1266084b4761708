//! `/.well-known`: the public keys that verify access tokens.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use axum::http::header::CACHE_CONTROL;
use axum::response::IntoResponse;

use crate::app::App;

/// The public keys (RFC 7517); verifiers may cache them for five minutes.
pub(super) async fn jwks(State(app): State<App>) -> Response<Body> {
    ([(CACHE_CONTROL, "public, max-age=300")], Json(app.keys.jwk_set())).into_response()
}
