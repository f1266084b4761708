//! The frame: what happens around every request, outermost first. One layer, because each costs every request some
//! boxes and a copy of all that is within it.

use axum::extract::{Request, State};
use axum::http::header::ACCEPT_ENCODING;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::graphql_endpoint::negotiation;
use super::problem_details;
use crate::app::App;

pub(crate) mod access_log;
pub(crate) mod cors;
pub(crate) mod request_context;
pub(crate) mod security_headers;
pub(crate) mod timeout;

/// Introduces the request, has it answered, and completes the answer.
pub(super) async fn handle(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let request_id = request_context::attach(&app, &mut request);
    let mut response = match request_context::reject_token_in_query(&request) {
        Some(refusal) => refusal,
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
        Some(answer) => answer,
        None if negotiation::has_content_coding(request.headers()) => unsupported_encoding(),
        None => timeout::run(app, request, next).await,
    };
    cors.apply(&mut response);
    entry.write(&response);
    response
}

/// No body is decompressed, because its length would not bound the work that it makes (RFC 9110 section 15.5.16).
fn unsupported_encoding() -> Response {
    let detail = "send the body as it is, without Content-Encoding";
    let mut response = problem_details::problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", detail);
    response.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    response
}
