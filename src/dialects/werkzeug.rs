//! JSON request bodies as werkzeug reads them, with its error texts, for dialects of Flask services.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::http_error::HttpError;
use crate::headers::content_type::media_type;
use crate::strict_json;

/// Parses a JSON body.
///
/// # Errors
/// 415 if `Content-Type` is not JSON, 413 if the body is too large, 400 if it is not valid JSON.
pub(super) fn read_json(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Value, HttpError> {
    if !is_json(headers) {
        return Err(HttpError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Did not attempt to load JSON data because the request Content-Type was not 'application/json'.",
        ));
    }
    let malformed =
        || HttpError::bad_request("The browser (or proxy) sent a request that this server could not understand.");
    match body {
        Ok(bytes) => strict_json::parse(&bytes).map_err(|_| malformed()),
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(payload_too_large()),
        Err(_) => Err(malformed()),
    }
}

/// 413 with werkzeug's text.
pub(super) fn payload_too_large() -> HttpError {
    HttpError::new(StatusCode::PAYLOAD_TOO_LARGE, "The data value transmitted exceeds the capacity limit.")
}

/// Accepts `application/json` and `application/…+json` with any parameters (werkzeug's `Request.is_json`).
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    media_type(headers).strip_prefix("application/").is_some_and(|kind| kind == "json" || kind.ends_with("+json"))
}
