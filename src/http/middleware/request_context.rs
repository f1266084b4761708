//! The context of each request: credentials, client address, user agent and request id.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request};
use axum::http::header::USER_AGENT;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;

use crate::account::caller::request_auth::RequestAuth;
use crate::account::caller::request_context::RequestContext;
use crate::app::App;
use crate::http::problem_details::problem;
use crate::http::request::authorization::{credentials, has_token_in_query};
use crate::http::request::client_address;
use crate::http::request::fetch_site::RequestOrigin;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Maximum characters of a request id from a proxy.
const MAX_REQUEST_ID_CHARS: usize = 64;

/// Maximum characters of a stored user agent.
const MAX_USER_AGENT_CHARS: usize = 500;

/// Attaches the [`RequestAuth`] to the request; returns the request id.
pub(in crate::http) fn attach(app: &App, request: &mut Request) -> String {
    let mut auth = from_headers(app, request.headers(), request.extensions());
    let origin = RequestOrigin::new(request.uri(), request.headers());
    auth.context.fetch_site = origin.fetch_site(&app.config.cors);
    auth.context.is_plain_loopback = origin.is_plain_loopback();
    let request_id = auth.context.request_id.clone();
    request.extensions_mut().insert(auth);
    request_id
}

/// The response to a request with an access token in its query string.
pub(in crate::http) fn reject_token_in_query(request: &Request) -> Option<Response> {
    let detail = "send the access token in the Authorization header, not in the URL";
    has_token_in_query(request.uri()).then(|| problem(StatusCode::BAD_REQUEST, "BAD_REQUEST", detail))
}

/// Adds the request id to the response.
pub(in crate::http) fn set_request_id(response: &mut Response, request_id: &str) {
    if let Ok(value) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
}

/// The authentication input of a request with these headers; the extensions hold the peer.
pub(in crate::http) fn from_headers(app: &App, headers: &HeaderMap, extensions: &Extensions) -> RequestAuth {
    let proxies = &app.config.server.trusted_proxies;
    let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    let request_id = peer
        .filter(|peer| proxies.contains(*peer))
        .and_then(|_| forwarded_request_id(headers))
        .unwrap_or_else(|| app.entropy.uuid(app.clock.now()).simple().to_string());
    let address = peer.map(|peer| client_address::resolve(peer, headers, proxies, app.config.server.forwarded_header));
    let client = RequestContext::new(address, user_agent(headers), request_id);
    RequestAuth { credentials: credentials(headers), context: client }
}

/// The request id from a proxy, if it is safe in a log line.
fn forwarded_request_id(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all(REQUEST_ID).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let text = value.to_str().ok()?;
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    (is_plain && (1..=MAX_REQUEST_ID_CHARS).contains(&text.len())).then(|| text.to_owned())
}

fn user_agent(headers: &HeaderMap) -> Option<String> {
    let text = String::from_utf8_lossy(headers.get(USER_AGENT)?.as_bytes());
    Some(text.chars().filter(|character| !character.is_control()).take(MAX_USER_AGENT_CHARS).collect())
}
