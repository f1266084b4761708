//! The frame: what happens around every request, outermost first. One layer, because each costs every request some
//! boxes and a copy of all that is within it.

use axum::extract::{Request, State};
use axum::http::header::ACCEPT_ENCODING;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::{content, cors, deadline, error, headers, log, visitor};
use crate::app::App;

/// Introduces the request, has it answered, and completes the answer.
pub(super) async fn around(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let request_id = visitor::introduce(&app, &mut request);
    let mut response = match visitor::refuse_token_in_address(&request) {
        Some(refusal) => refusal,
        None => answered(&app, request, next).await,
    };
    visitor::name(&mut response, &request_id);
    headers::secure(&app, &mut response);
    response
}

async fn answered(app: &App, request: Request, next: Next) -> Response {
    let line = log::Line::begin(&request);
    let sharing = cors::Sharing::asked(app, &request);
    let mut response = match sharing.preflight() {
        Some(answer) => answer,
        None if content::is_encoded(request.headers()) => encoded(),
        None => deadline::hold(app, request, next).await,
    };
    sharing.tell(&mut response);
    line.end(&response);
    response
}

/// No body is decompressed, because its length would not bound the work that it makes (RFC 9110 section 15.5.16).
fn encoded() -> Response {
    let detail = "send the body as it is, without Content-Encoding";
    let mut response = error::problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", detail);
    response.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    response
}
