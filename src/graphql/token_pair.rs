//! The token pair that `login`, `register`, `refresh` and `updatePassword` return.

use async_graphql::{Context, Enum, Object};
use entity::session::Transport;
use secrecy::ExposeSecret;

use super::context::ContextExt;
use super::time::Time;
use crate::account::authentication::session::IssuedSession;
use crate::account::tokens;
use crate::error::Result;

/// How a session's tokens are transported. It is stored with the session and applies to `refresh`, `logout` and
/// `updatePassword`, too. Pages that use cookies must have the server's own origin or one of the setting
/// `cors.origins`.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "Transport")]
pub enum TokenTransport {
    /// Both tokens in the response; send the access token as `Authorization: Bearer <accessToken>`.
    Body,
    /// The access token in the response, the refresh token in an HttpOnly cookie.
    RefreshCookie,
    /// Both tokens in HttpOnly cookies, which scripts cannot read.
    Cookies,
}

/// The token pair of the schema.
pub struct TokenPair {
    pair: tokens::TokenPair,
    transport: Transport,
}

impl TokenPair {
    /// The tokens of a session that was opened or refreshed; sets cookies if the session's transport uses them.
    pub(super) fn issue(ctx: &Context<'_>, issued: &IssuedSession) -> Result<Self> {
        ctx.response_cookies()?.set(issued);
        Ok(Self { pair: issued.tokens.clone(), transport: issued.session.transport })
    }
}

/// The access token and the refresh token of a session, returned by `register`, `login`, `refresh` and
/// `updatePassword`.
#[Object]
impl TokenPair {
    /// The access token: send it as `Authorization: Bearer <accessToken>`. Null if it is in a cookie.
    async fn access_token(&self) -> Option<&str> {
        (self.transport != Transport::Cookies).then(|| self.pair.access_token.expose_secret())
    }

    /// Always `Bearer`.
    async fn token_type(&self) -> &str {
        "Bearer"
    }

    /// Lifetime of the access token in seconds from now. Prefer it to `expiresAt`: it does not depend on the client's
    /// clock.
    async fn expires_in(&self) -> i64 {
        self.pair.expires_at.timestamp() - self.pair.issued_at.timestamp()
    }

    /// When the access token expires.
    async fn expires_at(&self) -> Time {
        Time(self.pair.expires_at)
    }

    /// The refresh token: pass it to `refresh` to get the next token pair. Null if it is in a cookie.
    async fn refresh_token(&self) -> Option<&str> {
        (self.transport == Transport::Body).then(|| self.pair.refresh_token.expose_secret())
    }

    /// Lifetime of the refresh token in seconds from now.
    async fn refresh_expires_in(&self) -> i64 {
        self.pair.refresh_expires_at.timestamp() - self.pair.issued_at.timestamp()
    }

    /// When the refresh token expires.
    async fn refresh_expires_at(&self) -> Time {
        Time(self.pair.refresh_expires_at)
    }

    /// When the tokens were issued, by the server's clock.
    async fn issued_at(&self) -> Time {
        Time(self.pair.issued_at)
    }
}
