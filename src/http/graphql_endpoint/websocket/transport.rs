//! The line to the client: messages in both directions, each within its time.

use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use tokio::time::timeout;

use super::close::CloseReason;
use super::message::{self, ClientMessage};

/// How long the client has to say farewell, too.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

pub(super) struct Transport {
    socket: WebSocket,
    /// How long the client may take to take a message.
    write_timeout: Duration,
}

impl Transport {
    pub fn new(socket: WebSocket, write_timeout: Duration) -> Self {
        Self { socket, write_timeout }
    }

    /// Waits for the next message of the protocol; nothing if it was only a sign of life. It loses nothing when it is
    /// dropped.
    ///
    /// # Errors
    /// The end, if it was something else, or nobody is there.
    pub async fn recv(&mut self) -> Result<Option<ClientMessage>, CloseReason> {
        match self.socket.recv().await {
            Some(Ok(Message::Text(text))) => message::parse(&text).map(Some).ok_or(CloseReason::BadMessage),
            // The socket itself has answered the one that needs an answer.
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
            Some(Ok(Message::Binary(_)) | Err(_)) => Err(CloseReason::BadMessage),
            Some(Ok(Message::Close(_))) | None => Err(CloseReason::Gone),
        }
    }

    /// Says something.
    ///
    /// # Errors
    /// The end, if it is not taken in time.
    pub async fn send_text(&mut self, text: String) -> Result<(), CloseReason> {
        self.send(Message::text(text)).await
    }

    /// Asks for a sign of life.
    ///
    /// # Errors
    /// The end, if that is not taken in time.
    pub async fn ping(&mut self) -> Result<(), CloseReason> {
        self.send(Message::Ping(Vec::new().into())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), CloseReason> {
        match timeout(self.write_timeout, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(CloseReason::Gone),
        }
    }

    /// Ends it so that the reason arrives.
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
