//! Subscriptions over a WebSocket, with the subprotocol `graphql-transport-ws`.
//!
//! The message loop is async-graphql's. Around it, this module reads messages strictly, closes with a code for each
//! reason, because clients decide by the code whether to reconnect, and sends the `error` messages that the loop does
//! not have. Queries and mutations run by POST only, where the rules for requests apply.

use std::sync::Arc;

use async_graphql::http::WebSocketProtocols;
use axum::body::Body;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::header::UPGRADE;
use axum::http::{HeaderMap, Response};

use super::batch::GraphqlHandler;
use super::negotiation::ResponseMedia;
use super::response::RequestError;
use crate::account::caller::request_auth::RequestAuth;
use crate::app::App;
use crate::http::server::Shutdown;

mod active;
mod close;
mod connection;
mod connection_init;
mod exchange;
mod message;
mod subscriptions;
mod transport;

/// Maximum bytes of a client message, as of a request body.
const MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// Bytes read ahead; the library's default is 128 KiB per connection.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// Maximum bytes waiting to be sent. Each message is sent before the next one is built, so this fits the longest.
const MAX_UNSENT_BYTES: usize = 4 * 1024 * 1024;

/// Whether the request asks for a WebSocket upgrade.
pub(super) fn is_upgrade(headers: &HeaderMap) -> bool {
    headers.get(UPGRADE).is_some_and(|protocol| protocol.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Accepts the WebSocket, unless a page of another site opens it. The browser would send cookies along and let the page
/// read the messages (RFC 6455 section 10.2).
pub(super) fn open(
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    app: App,
    handler: Arc<GraphqlHandler>,
    auth: RequestAuth,
    shutdown: Shutdown,
) -> Response<Body> {
    if auth.context.reject_untrusted_site().is_err() {
        return RequestError::cross_site().respond(ResponseMedia::GraphQl);
    }
    let name = WebSocketProtocols::GraphQLWS.sec_websocket_protocol();
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade.protocols([name]),
        Err(rejection) => return RequestError::bad_request(rejection.body_text()).respond(ResponseMedia::GraphQl),
    };
    if upgrade.selected_protocol().is_none() {
        return RequestError::bad_request(format!("offer the subprotocol {name}")).respond(ResponseMedia::GraphQl);
    }
    upgrade
        .max_message_size(MAX_MESSAGE_BYTES)
        .max_frame_size(MAX_MESSAGE_BYTES)
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(MAX_UNSENT_BYTES)
        .on_upgrade(move |socket| connection::run(socket, app, handler, auth, shutdown))
}
