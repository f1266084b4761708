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

use super::content::Media;
use super::endpoint::{Endpoint, Refusal};
use super::server::Stop;
use crate::account::requester::Visitor;
use crate::app::App;

mod close;
mod conversation;
mod line;
mod message;

/// The subprotocol.
const PROTOCOL: &str = "graphql-transport-ws";

/// Most bytes of a message from the client, as of a request's body.
const MAX_MESSAGE: usize = 64 * 1024;

/// Bytes that are read ahead; the library's own default is 128 KiB for each connection.
const READ_AHEAD: usize = 4 * 1024;

/// Most bytes that wait to be sent. Each message is sent before the next one is made, so this is room for the longest.
const MAX_UNSENT: usize = 4 * 1024 * 1024;

/// Whether the request wants to go on as a WebSocket.
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    headers.get(UPGRADE).is_some_and(|protocol| protocol.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Opens the socket, unless it is a page of somebody else that has the browser open it: the browser would send cookies
/// along, and let the page read what comes (RFC 6455 section 10.2).
pub(super) fn open(
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    app: App,
    endpoint: Arc<Endpoint>,
    visitor: Visitor,
    stop: Stop,
) -> Response<Body> {
    if visitor.client.refuse_foreign_page().is_err() {
        return Refusal::foreign_page().answer(Media::GraphQl);
    }
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade.protocols([PROTOCOL]),
        Err(rejection) => return Refusal::bad_request(rejection.body_text()).answer(Media::GraphQl),
    };
    if upgrade.selected_protocol().is_none() {
        return Refusal::bad_request(format!("offer the subprotocol {PROTOCOL}")).answer(Media::GraphQl);
    }
    upgrade
        .max_message_size(MAX_MESSAGE)
        .max_frame_size(MAX_MESSAGE)
        .read_buffer_size(READ_AHEAD)
        .write_buffer_size(0)
        .max_write_buffer_size(MAX_UNSENT)
        .on_upgrade(move |socket| conversation::hold(socket, app, endpoint, visitor, stop))
}
