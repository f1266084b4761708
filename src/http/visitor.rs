//! Introduces each request: who it says to be, where it comes from, and the name it has in logs and answers.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request};
use axum::http::header::USER_AGENT;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;

use super::address;
use super::authorization::{credentials, is_in_address};
use super::error::problem;
use super::origin::Origin;
use crate::account::requester::{Client, Visitor};
use crate::app::App;

/// The header that tells a request's name.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Most characters of a name that a proxy gives.
const MAX_REQUEST_ID: usize = 64;

/// Most characters of a user agent that are kept.
const MAX_USER_AGENT: usize = 500;

/// Adds the [`Visitor`] to the request; tells its name.
pub(super) fn introduce(app: &App, request: &mut Request) -> String {
    let mut visitor = of(app, request.headers(), request.extensions());
    let origin = Origin::new(request.uri(), request.headers());
    visitor.client.page = origin.page(&app.config.browser);
    visitor.client.is_plain_loopback = origin.is_plain_loopback();
    let request_id = visitor.client.request_id.clone();
    request.extensions_mut().insert(visitor);
    request_id
}

/// The answer to a request with a token in its address.
pub(super) fn refuse_token_in_address(request: &Request) -> Option<Response> {
    let detail = "send the access token in the Authorization header, not in the address";
    is_in_address(request.uri()).then(|| problem(StatusCode::BAD_REQUEST, "BAD_REQUEST", detail))
}

/// Adds the request's name to its answer.
pub(super) fn name(response: &mut Response, request_id: &str) {
    if let Ok(value) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
}

/// The visitor who has sent these headers from the peer that the extensions tell of.
pub(super) fn of(app: &App, headers: &HeaderMap, extensions: &Extensions) -> Visitor {
    let proxies = &app.config.server.trusted_proxies;
    let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    let request_id = peer
        .filter(|peer| proxies.contains(*peer))
        .and_then(|_| given_id(headers))
        .unwrap_or_else(|| app.entropy.uuid(app.clock.now()).simple().to_string());
    let address = peer.map(|peer| address::client(peer, headers, proxies, app.config.server.forwarded_header));
    let client = Client::new(address, user_agent(headers), request_id);
    Visitor { credentials: credentials(headers), client }
}

/// The name that a proxy gave the request, if it fits a log line as it is.
fn given_id(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all(REQUEST_ID).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let text = value.to_str().ok()?;
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    (is_plain && (1..=MAX_REQUEST_ID).contains(&text.len())).then(|| text.to_owned())
}

fn user_agent(headers: &HeaderMap) -> Option<String> {
    let text = String::from_utf8_lossy(headers.get(USER_AGENT)?.as_bytes());
    Some(text.chars().filter(|character| !character.is_control()).take(MAX_USER_AGENT).collect())
}
