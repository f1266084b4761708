//! The exchange of messages on an open connection: passes them between the client and the library's loop, and ends it
//! with the session, an idle or silent client, or a message that breaks the protocol.

use std::future::pending;
use std::pin::{Pin, pin};
use std::time::Duration;

use async_graphql::http::{ClientMessage as LoopMessage, WsMessage};
use futures_util::{Stream, StreamExt};
use tokio::sync::mpsc::{Permit, Receiver, Sender};
use tokio::time::{Instant, sleep_until};

use super::active::ActiveSubscriptions;
use super::close::CloseReason;
use super::message::{self, ClientMessage};
use super::subscriptions::{Outbound, errors, library_request};
use super::transport::Transport;
use crate::account::caller::session_monitor::SessionMonitor;
use crate::config::Timeouts;
use crate::error::Error;

/// How long subscriptions may take to send the final event of an ended session, before the socket is closed: a part of
/// the promised second.
const FINAL_EVENT_GRACE: Duration = Duration::from_millis(400);

/// An open connection.
pub(super) struct Exchange<'a> {
    pub transport: &'a mut Transport,
    /// Messages of the client for the loop.
    pub to_loop: &'a Sender<LoopMessage>,
    /// Messages of subscriptions that bypass the loop.
    pub outbound: Receiver<Outbound>,
    pub max_subscriptions: usize,
    pub timeouts: &'a Timeouts,
    pub request_id: &'a str,
}

/// Waits for capacity in the loop and for a message of the client; `None` for a ping or pong frame. Cancel-safe.
///
/// # Errors
/// The reason to close.
pub(super) async fn receive<'a>(
    transport: &mut Transport,
    to_loop: &'a Sender<LoopMessage>,
) -> Result<(Permit<'a, LoopMessage>, Option<ClientMessage>), CloseReason> {
    let permit = to_loop.reserve().await.map_err(|_| CloseReason::TryAgain)?;
    Ok((permit, transport.recv().await?))
}

impl Exchange<'_> {
    /// Exchanges messages until one side closes the connection.
    pub async fn run(
        &mut self,
        mut message_loop: Pin<&mut impl Stream<Item = WsMessage>>,
        monitor: &mut SessionMonitor,
    ) -> CloseReason {
        let (active, timeouts) = (ActiveSubscriptions::default(), self.timeouts);
        let mut session_ended = pin!(monitor.ended());
        let mut closing: Option<(Instant, CloseReason)> = None;
        let (mut received_at, mut is_ping_pending, mut last_used_at) = (Instant::now(), false, Instant::now());
        loop {
            if !active.is_empty() {
                last_used_at = Instant::now();
            }
            if let Some((_, close)) = closing
                && active.is_empty()
                && self.outbound.is_empty()
            {
                return close;
            }
            let ping_at = received_at + if is_ping_pending { timeouts.ping * 2 } else { timeouts.ping };
            let step = tokio::select! {
                biased;
                error = &mut session_ended, if closing.is_none() => {
                    error.log(self.request_id);
                    closing_after(&error).map(|after| closing = Some(after))
                }
                close = grace_over(closing) => Err(close),
                // Before the messages, so that a flood of pings does not delay it.
                () = sleep_until(last_used_at + timeouts.idle), if active.is_empty() => Err(CloseReason::Idle),
                Some(message) = self.outbound.recv() => match message {
                    Outbound::Text(text) => self.transport.send_text(text).await,
                    Outbound::Close(close) => Err(close),
                },
                message = message_loop.next() => self.forward(message).await,
                received = receive(self.transport, self.to_loop) => {
                    (received_at, is_ping_pending) = (Instant::now(), false);
                    match received {
                        Ok((permit, Some(message))) => self.handle(permit, message, &active).await,
                        Ok((_, None)) => Ok(()),
                        Err(close) => Err(close),
                    }
                }
                () = sleep_until(ping_at) => {
                    if is_ping_pending {
                        Err(CloseReason::Gone)
                    } else {
                        is_ping_pending = true;
                        self.transport.ping().await
                    }
                }
            };
            if let Err(close) = step {
                return close;
            }
        }
    }

    /// Sends a message of the loop to the client.
    async fn forward(&mut self, message: Option<WsMessage>) -> Result<(), CloseReason> {
        match message {
            // The loop also completes subscriptions that were refused or that the client has completed. Others have
            // sent it themselves.
            Some(WsMessage::Text(text)) if message::is_complete(&text) => Ok(()),
            Some(WsMessage::Text(text)) => self.transport.send_text(text).await,
            Some(WsMessage::Close(..)) | None => Err(CloseReason::TryAgain),
        }
    }

    /// Handles a message of the client.
    ///
    /// # Errors
    /// The reason to close, if the message breaks the protocol or the response cannot be sent.
    async fn handle(
        &mut self,
        permit: Permit<'_, LoopMessage>,
        message: ClientMessage,
        active: &ActiveSubscriptions,
    ) -> Result<(), CloseReason> {
        match message {
            ClientMessage::Init(_) => return Err(CloseReason::Again),
            ClientMessage::Pong => {}
            ClientMessage::Ping(payload) => permit.send(LoopMessage::Ping { payload }),
            ClientMessage::Complete(id) => {
                active.remove(&id);
                permit.send(LoopMessage::Stop { id });
            }
            // The loop would replace the subscription with this id.
            ClientMessage::Subscribe(id, _) if active.contains(&id) => return Err(CloseReason::Duplicate),
            ClientMessage::Subscribe(id, parameters) => {
                let Ok(parameters) = *parameters else { return Err(CloseReason::BadMessage) };
                let max = self.max_subscriptions;
                if active.count() >= max {
                    let refusal = message::error(&id, &errors(Error::TooManySubscriptions { max }));
                    return self.transport.send_text(refusal).await;
                }
                let payload = library_request(active.add(id.clone()), parameters);
                permit.send(LoopMessage::Start { id, payload });
            }
        }
        Ok(())
    }
}

/// When to close after the end of the session, and why.
///
/// # Errors
/// The reason to close at once.
fn closing_after(error: &Error) -> Result<(Instant, CloseReason), CloseReason> {
    match CloseReason::of(error) {
        // The subscriptions send their final event first.
        close @ CloseReason::Unauthorized => Ok((Instant::now() + FINAL_EVENT_GRACE, close)),
        close => Err(close),
    }
}

async fn grace_over(closing: Option<(Instant, CloseReason)>) -> CloseReason {
    match closing {
        Some((until, close)) => {
            sleep_until(until).await;
            close
        }
        None => pending().await,
    }
}
