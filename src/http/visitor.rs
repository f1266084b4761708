//! Introduces each request: who it says to be, where it comes from, and the name it has in logs and answers.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::USER_AGENT;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

use super::authorization::credentials;
use crate::account::requester::{Client, Visitor};
use crate::app::App;

/// The header that tells a request's name.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Most characters of a user agent that are kept.
const MAX_USER_AGENT: usize = 500;

/// Adds the [`Visitor`] to the request and its name to the answer.
pub(super) async fn introduce(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let request_id = app.entropy.uuid(app.clock.now()).simple().to_string();
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip().to_canonical());
    let client = Client::new(peer, user_agent(&request), request_id.clone());
    let visitor = Visitor { credentials: credentials(request.headers()), client };
    request.extensions_mut().insert(visitor);
    let mut response = next.run(request).await;
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

fn user_agent(request: &Request) -> Option<String> {
    let text = String::from_utf8_lossy(request.headers().get(USER_AGENT)?.as_bytes());
    Some(text.chars().filter(|character| !character.is_control()).take(MAX_USER_AGENT).collect())
}
