//! Middleware for every request, outermost first. One layer for speed: each tower layer costs every request some boxes
//! and a clone of everything within it.

use axum::extract::{Request, State};
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::problem_details;
use crate::app::App;

pub(super) mod access_log;
mod cors;
pub(super) mod request_context;
pub(super) mod security_headers;
pub(super) mod timeout;

/// Attaches the request context, handles the request, and adds the response headers.
pub(super) async fn handle(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let request_id = request_context::attach(&app, &mut request);
    let mut response = match request_context::reject_token_in_query(&request) {
        Some(response) => response,
        None => respond(&app, request, next).await,
    };
    request_context::set_request_id(&mut response, &request_id);
    security_headers::apply(&app, &mut response);
    response
}

async fn respond(app: &App, request: Request, next: Next) -> Response {
    let entry = access_log::AccessLogEntry::start(&request);
    let cors = cors::Cors::of(app, &request);
    let mut response = match cors.preflight() {
        Some(response) => response,
        None if has_content_coding(request.headers()) => unsupported_encoding(),
        None => timeout::run(app, request, next).await,
    };
    cors.apply(&mut response);
    entry.write(&response);
    response
}

/// Whether the body has a content coding, such as compression (RFC 9110 section 8.4).
fn has_content_coding(headers: &HeaderMap) -> bool {
    headers.get_all(CONTENT_ENCODING).iter().any(|value| {
        let codings = value.to_str().unwrap_or("unknown").split(',').map(str::trim);
        codings.into_iter().any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity"))
    })
}

/// No body is decompressed, because its length would not bound the work that it causes (RFC 9110 section 15.5.16).
fn unsupported_encoding() -> Response {
    let detail = "send the body uncompressed, without Content-Encoding";
    let mut response = problem_details::problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", detail);
    response.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    response
}
