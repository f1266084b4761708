//! Why a socket is closed, by the codes of the protocol and of RFC 6455 section 7.4.1. Clients of graphql-ws take 4400,
//! 4401, 4409 and 4429 for their last word and come again after all others.

use axum::extract::ws::CloseFrame;

use crate::error::{Error, TokenError};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CloseReason {
    /// Nobody is there any more to be told.
    Gone,
    /// There was no subscription for a long time.
    Idle,
    /// The server stops.
    Stopping,
    /// The account has as many sockets open as it may.
    TooMany,
    /// The server cannot go on.
    TryAgain,
    /// What came is not the protocol.
    BadMessage,
    /// Nobody may be told anything here.
    Unauthorized,
    /// A fresh token opens the door again.
    Expired,
    /// No `connection_init` in time.
    Late,
    /// The same id again.
    Duplicate,
    /// A second `connection_init`.
    Again,
}

impl CloseReason {
    /// The end that a failure puts to everything.
    pub fn of(error: &Error) -> Self {
        match error {
            Error::Unauthenticated(TokenError::Expired | TokenError::Replaced) => Self::Expired,
            Error::Unauthenticated(_) => Self::Unauthorized,
            _ => Self::TryAgain,
        }
    }

    /// The code and the sentence that are sent, if there is somebody.
    pub fn frame(self) -> Option<CloseFrame> {
        let (code, reason) = match self {
            Self::Gone => return None,
            Self::Idle => (1000, "there is no subscription"),
            Self::Stopping => (1001, "the server stops: connect again"),
            Self::TooMany => (1013, "this account has too many sockets open: end some, or share one"),
            Self::TryAgain => (1013, "the server cannot go on: connect again"),
            Self::BadMessage => (4400, "not a message of graphql-transport-ws, or longer than 64 KiB"),
            Self::Unauthorized => (4401, "sign in: the token is missing or its session is over"),
            Self::Expired => (4403, "the access token has expired: connect again with a fresh one"),
            Self::Late => (4408, "no connection_init in time"),
            Self::Duplicate => (4409, "there is a subscription with this id"),
            Self::Again => (4429, "connection_init came twice"),
        };
        Some(CloseFrame { code, reason: reason.into() })
    }
}
