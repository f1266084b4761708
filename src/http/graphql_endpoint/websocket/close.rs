//! Close codes, by the protocol and RFC 6455 section 7.4.1. Clients of graphql-ws treat 4400, 4401, 4409 and 4429 as
//! final and reconnect after all others.

use axum::extract::ws::CloseFrame;

use crate::error::{Error, WebSocketClose};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CloseReason {
    /// The client has disconnected: no close frame is sent.
    Gone,
    /// No subscription for the idle timeout.
    Idle,
    /// The server shuts down.
    Stopping,
    /// The user has reached the limit on open sockets.
    TooMany,
    /// The server cannot continue.
    TryAgain,
    /// A message does not follow the protocol.
    BadMessage,
    /// The caller is not authenticated.
    Unauthorized,
    /// The access token has expired: a fresh one reconnects.
    Expired,
    /// No `connection_init` in time.
    Late,
    /// A subscription with this id exists.
    Duplicate,
    /// A second `connection_init`.
    Again,
}

impl CloseReason {
    /// The reason to close after `error`, by the table of errors.
    pub fn of(error: &Error) -> Self {
        match error.kind().websocket_close() {
            WebSocketClose::TokenExpired => Self::Expired,
            WebSocketClose::Unauthenticated => Self::Unauthorized,
            WebSocketClose::TryAgainLater => Self::TryAgain,
        }
    }

    /// The code and the reason to send; `None` if the client has disconnected.
    pub fn frame(self) -> Option<CloseFrame> {
        let (code, reason) = match self {
            Self::Gone => return None,
            Self::Idle => (1000, "no active subscription"),
            Self::Stopping => (1001, "the server is shutting down: reconnect"),
            Self::TooMany => (1013, "too many open sockets for this user: close some, or share one"),
            Self::TryAgain => (WebSocketClose::TryAgainLater.code(), "the server cannot continue: reconnect"),
            Self::BadMessage => (4400, "not a message of graphql-transport-ws, or longer than 64 KiB"),
            Self::Unauthorized => {
                (WebSocketClose::Unauthenticated.code(), "sign in: the token is missing or its session has ended")
            }
            Self::Expired => {
                (WebSocketClose::TokenExpired.code(), "the access token has expired: reconnect with a fresh one")
            }
            Self::Late => (4408, "no connection_init in time"),
            Self::Duplicate => (4409, "a subscription with this id exists"),
            Self::Again => (4429, "connection_init was sent twice"),
        };
        Some(CloseFrame { code, reason: reason.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::samples::one_error_of_each_kind;

    #[test]
    fn socket_closes_by_the_table() {
        for error in one_error_of_each_kind() {
            let frame = CloseReason::of(&error).frame().unwrap();
            assert_eq!(frame.code, error.kind().websocket_close().code(), "{error}");
        }
    }
}
