//! Subscriptions over a WebSocket, by the subprotocol `graphql-transport-ws`.
//!
//! The library's own loop has one code for every refusal; clients tell by it whether to come again, so this one speaks
//! the protocol itself. Queries and mutations do not run here: what holds for a request holds for those by POST.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::header::UPGRADE;
use axum::http::{HeaderMap, Response};

use super::negotiation::ResponseMedia;
use super::{GraphqlHandler, RequestError};
use crate::account::caller::requester::RequestAuth;
use crate::app::App;
use crate::http::server::Shutdown;

mod close;
mod connection;
mod message;
mod transport;

/// The subprotocol.
const PROTOCOL: &str = "graphql-transport-ws";

/// Most bytes of a message from the client, as of a request's body.
const MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// Bytes that are read ahead; the library's own default is 128 KiB for each connection.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// Most bytes that wait to be sent. Each message is sent before the next one is made, so this is room for the longest.
const MAX_UNSENT_BYTES: usize = 4 * 1024 * 1024;

/// Whether the request wants to go on as a WebSocket.
pub(in crate::http) fn is_upgrade(headers: &HeaderMap) -> bool {
    headers.get(UPGRADE).is_some_and(|protocol| protocol.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Opens the socket, unless it is a page of somebody else that has the browser open it: the browser would send cookies
/// along, and let the page read what comes (RFC 6455 section 10.2).
pub(in crate::http) fn open(
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    app: App,
    handler: Arc<GraphqlHandler>,
    auth: RequestAuth,
    shutdown: Shutdown,
) -> Response<Body> {
    if auth.context.reject_cross_site().is_err() {
        return RequestError::cross_site().respond(ResponseMedia::GraphQl);
    }
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade.protocols([PROTOCOL]),
        Err(rejection) => return RequestError::bad_request(rejection.body_text()).respond(ResponseMedia::GraphQl),
    };
    if upgrade.selected_protocol().is_none() {
        return RequestError::bad_request(format!("offer the subprotocol {PROTOCOL}")).respond(ResponseMedia::GraphQl);
    }
    upgrade
        .max_message_size(MAX_MESSAGE_BYTES)
        .max_frame_size(MAX_MESSAGE_BYTES)
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(MAX_UNSENT_BYTES)
        .on_upgrade(move |socket| connection::run(socket, app, handler, auth, shutdown))
}
