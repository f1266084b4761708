//! The pair of tokens, the same wherever one is answered.

use async_graphql::Object;
use secrecy::ExposeSecret;

use super::time::Time;
use crate::account::tokens;

/// The pair as the schema shows it.
pub struct TokenPair(pub tokens::TokenPair);

/// What a client keeps after `register`, `login`, `refresh` and `updatePassword`.
#[Object]
impl TokenPair {
    /// Opens the API: send it as `Authorization: Bearer <accessToken>`.
    async fn access_token(&self) -> &str {
        self.0.access_token.expose_secret()
    }

    /// Always `Bearer`.
    async fn token_type(&self) -> &str {
        "Bearer"
    }

    /// Seconds until the access token ends, from now; use this, a wrong client clock does not matter to it.
    async fn expires_in(&self) -> i64 {
        self.0.expires_at.timestamp() - self.0.issued_at.timestamp()
    }

    /// When the access token ends.
    async fn expires_at(&self) -> Time {
        Time(self.0.expires_at)
    }

    /// Buys the next pair, with the mutation `refresh`.
    async fn refresh_token(&self) -> &str {
        self.0.refresh_token.expose_secret()
    }

    /// Seconds until the refresh token ends, from now.
    async fn refresh_expires_in(&self) -> i64 {
        self.0.refresh_expires_at.timestamp() - self.0.issued_at.timestamp()
    }

    /// When the refresh token ends.
    async fn refresh_expires_at(&self) -> Time {
        Time(self.0.refresh_expires_at)
    }

    /// The server's clock at the time of issue.
    async fn issued_at(&self) -> Time {
        Time(self.0.issued_at)
    }
}
