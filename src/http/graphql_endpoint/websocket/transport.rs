//! Protocol messages over the WebSocket, with write timeouts.

use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use tokio::time::timeout;

use super::close::CloseReason;
use super::message::{self, ClientMessage};

/// How long the client may take to answer the close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

pub(super) struct Transport {
    socket: WebSocket,
    /// How long the client may take to receive a message.
    write_timeout: Duration,
}

impl Transport {
    /// A transport that allows each write `write_timeout`.
    pub fn new(socket: WebSocket, write_timeout: Duration) -> Self {
        Self { socket, write_timeout }
    }

    /// The next protocol message; `None` for a ping or pong frame. Cancel-safe.
    ///
    /// # Errors
    /// The reason to close: a message outside the protocol, or a disconnected client.
    pub async fn recv(&mut self) -> Result<Option<ClientMessage>, CloseReason> {
        match self.socket.recv().await {
            Some(Ok(Message::Text(text))) => message::parse(&text).map(Some).ok_or(CloseReason::BadMessage),
            // The WebSocket library has answered the ping.
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
            Some(Ok(Message::Binary(_)) | Err(_)) => Err(CloseReason::BadMessage),
            Some(Ok(Message::Close(_))) | None => Err(CloseReason::Gone),
        }
    }

    /// # Errors
    /// The reason to close, if the client does not receive it in time.
    pub async fn send_text(&mut self, text: String) -> Result<(), CloseReason> {
        self.send(Message::text(text)).await
    }

    /// Sends a ping frame, to detect a dead peer.
    ///
    /// # Errors
    /// The reason to close, if the client does not receive it in time.
    pub async fn ping(&mut self) -> Result<(), CloseReason> {
        self.send(Message::Ping(Vec::new().into())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), CloseReason> {
        match timeout(self.write_timeout, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(CloseReason::Gone),
        }
    }

    /// Closes the socket, and waits so that the close frame arrives.
    pub async fn close(mut self, close: CloseReason) {
        let Some(frame) = close.frame() else { return };
        timeout(CLOSE_TIMEOUT, async {
            if self.socket.send(Message::Close(Some(frame))).await.is_ok() {
                while let Some(Ok(_)) = self.socket.recv().await {}
            }
        })
        .await
        .ok();
    }
}
