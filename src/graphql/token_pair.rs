//! The pair of tokens, the same wherever one is answered.

use async_graphql::{Enum, Object};
use entity::session::Transport;
use secrecy::ExposeSecret;

use super::time::Time;
use crate::account::authentication::session::IssuedSession;
use crate::account::authentication::tokens;

/// Where a session's tokens travel. The session remembers it: `refresh`, `logout` and `updatePassword` need no mode.
/// Pages that use cookies must be of the server's own origin or of one that it was told to allow.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "Transport")]
pub enum TokenTransport {
    /// Both in the answer; send the access token as `Authorization: Bearer`.
    Body,
    /// The access token in the answer, the refresh token in an HttpOnly cookie.
    RefreshCookie,
    /// Both in HttpOnly cookies; no script sees a token.
    Cookies,
}

/// The pair as the schema shows it.
pub struct TokenPair {
    pair: tokens::TokenPair,
    transport: Transport,
}

impl TokenPair {
    /// The tokens of a session that was just opened or renewed.
    pub(super) fn of(issued: &IssuedSession) -> Self {
        Self { pair: issued.tokens.clone(), transport: issued.session.transport }
    }
}

/// What a client keeps after `register`, `login`, `refresh` and `updatePassword`.
#[Object]
impl TokenPair {
    /// Opens the API: send it as `Authorization: Bearer <accessToken>`. Null if the session has it in a cookie.
    async fn access_token(&self) -> Option<&str> {
        (self.transport != Transport::Cookies).then(|| self.pair.access_token.expose_secret())
    }

    /// Always `Bearer`.
    async fn token_type(&self) -> &str {
        "Bearer"
    }

    /// Seconds until the access token ends, from now; use this, a wrong client clock does not matter to it.
    async fn expires_in(&self) -> i64 {
        self.pair.expires_at.timestamp() - self.pair.issued_at.timestamp()
    }

    /// When the access token ends.
    async fn expires_at(&self) -> Time {
        Time(self.pair.expires_at)
    }

    /// Buys the next pair, with the mutation `refresh`. Null if the session has it in a cookie.
    async fn refresh_token(&self) -> Option<&str> {
        (self.transport == Transport::Body).then(|| self.pair.refresh_token.expose_secret())
    }

    /// Seconds until the refresh token ends, from now.
    async fn refresh_expires_in(&self) -> i64 {
        self.pair.refresh_expires_at.timestamp() - self.pair.issued_at.timestamp()
    }

    /// When the refresh token ends.
    async fn refresh_expires_at(&self) -> Time {
        Time(self.pair.refresh_expires_at)
    }

    /// The server's clock at the time of issue.
    async fn issued_at(&self) -> Time {
        Time(self.pair.issued_at)
    }
}
