//! The line to the client: messages in both directions, each within its time.

use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use tokio::time::timeout;

use super::close::Close;
use super::message::{self, Heard};

/// How long the client has to say farewell, too.
const FAREWELL: Duration = Duration::from_secs(1);

pub(super) struct Line {
    socket: WebSocket,
    /// How long the client may take to take a message.
    patience: Duration,
}

impl Line {
    pub fn new(socket: WebSocket, patience: Duration) -> Self {
        Self { socket, patience }
    }

    /// Waits for the next message of the protocol; nothing if it was only a sign of life. It loses nothing when it is
    /// dropped.
    ///
    /// # Errors
    /// The end, if it was something else, or nobody is there.
    pub async fn hear(&mut self) -> Result<Option<Heard>, Close> {
        match self.socket.recv().await {
            Some(Ok(Message::Text(text))) => message::read(&text).map(Some).ok_or(Close::BadMessage),
            // The socket itself has answered the one that needs an answer.
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
            Some(Ok(Message::Binary(_)) | Err(_)) => Err(Close::BadMessage),
            Some(Ok(Message::Close(_))) | None => Err(Close::Gone),
        }
    }

    /// Says something.
    ///
    /// # Errors
    /// The end, if it is not taken in time.
    pub async fn say(&mut self, text: String) -> Result<(), Close> {
        self.send(Message::text(text)).await
    }

    /// Asks for a sign of life.
    ///
    /// # Errors
    /// The end, if that is not taken in time.
    pub async fn ping(&mut self) -> Result<(), Close> {
        self.send(Message::Ping(Vec::new().into())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Close> {
        match timeout(self.patience, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Close::Gone),
        }
    }

    /// Ends it so that the reason arrives.
    pub async fn close(mut self, close: Close) {
        let Some(frame) = close.frame() else { return };
        timeout(FAREWELL, async {
            if self.socket.send(Message::Close(Some(frame))).await.is_ok() {
                while let Some(Ok(_)) = self.socket.recv().await {}
            }
        })
        .await
        .ok();
    }
}
