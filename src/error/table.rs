//! The table of errors: code, HTTP status, log level and WebSocket close code of each kind.
//!
//! Every API layer responds by this table. One that must respond otherwise, as an older service did, states its
//! exceptions in its own file, and its test lists them.

use super::kind::ErrorKind;
use super::refusal::RefusalCode;
use super::token_error::TokenError;

/// A row of the table.
struct Row {
    code: &'static str,
    http_status: u16,
    log_level: LogLevel,
    websocket_close: WebSocketClose,
}

/// Whether and how the server logs an error. What clients cause is in the access log already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// Not logged.
    Off,
    /// Logged as an error, with its cause.
    Error,
}

/// How a WebSocket is closed when an error ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebSocketClose {
    /// The client reconnects.
    TryAgainLater,
    /// The client must sign in.
    Unauthenticated,
    /// The client reconnects with a fresh access token.
    TokenExpired,
}

impl WebSocketClose {
    /// The close code. Clients of graphql-ws treat 4401 as final.
    pub const fn code(self) -> u16 {
        match self {
            Self::TryAgainLater => 1013,
            Self::Unauthenticated => 4401,
            Self::TokenExpired => 4403,
        }
    }
}

impl ErrorKind {
    fn row(self) -> Row {
        use LogLevel::{Error, Off};
        use WebSocketClose::{TokenExpired, TryAgainLater, Unauthenticated};
        match self {
            Self::Unauthenticated(TokenError::Expired | TokenError::Replaced) => {
                row("UNAUTHENTICATED", 401, Off, TokenExpired)
            }
            Self::Unauthenticated(
                TokenError::Missing | TokenError::Malformed | TokenError::Invalid | TokenError::SessionEnded,
            ) => row("UNAUTHENTICATED", 401, Off, Unauthenticated),
            Self::Forbidden => row("FORBIDDEN", 403, Off, TryAgainLater),
            Self::PasswordChangeRequired => row("PASSWORD_CHANGE_REQUIRED", 403, Off, TryAgainLater),
            Self::BadUserInput => row("BAD_USER_INPUT", 400, Off, TryAgainLater),
            Self::OperationTooComplex => row("OPERATION_TOO_COMPLEX", 400, Off, TryAgainLater),
            Self::TooManySubscriptions => row("TOO_MANY_SUBSCRIPTIONS", 429, Off, TryAgainLater),
            Self::ServerBusy => row("SERVER_BUSY", 503, Off, TryAgainLater),
            Self::StorageUnavailable => row("STORAGE_UNAVAILABLE", 503, Error, TryAgainLater),
            Self::OneCredentialCheckPerRequest => row("ONE_CREDENTIAL_CHECK_PER_REQUEST", 400, Off, TryAgainLater),
            Self::CrossSite => row("CSRF_REFUSED", 403, Off, TryAgainLater),
            Self::Refused(code @ RefusalCode::TooManyAttempts) => row(code.name(), 429, Off, TryAgainLater),
            Self::Refused(code) => row(code.name(), 400, Off, TryAgainLater),
            Self::Internal => row("INTERNAL", 500, Error, TryAgainLater),
        }
    }

    /// The stable, machine-readable code: `extensions.code` of GraphQL, `code` of problem details.
    pub fn code(self) -> &'static str {
        self.row().code
    }

    /// The HTTP status.
    pub fn http_status(self) -> u16 {
        self.row().http_status
    }

    /// Whether and how the server logs it.
    pub fn log_level(self) -> LogLevel {
        self.row().log_level
    }

    /// How a WebSocket is closed when it ends one.
    pub fn websocket_close(self) -> WebSocketClose {
        self.row().websocket_close
    }

    /// The value of `WWW-Authenticate` for routes that take bearer tokens (RFC 6750 section 3.1).
    pub fn bearer_challenge(self) -> Option<&'static str> {
        match self {
            Self::Unauthenticated(error) => Some(error.bearer_challenge()),
            Self::Forbidden => Some("Bearer error=\"insufficient_scope\""),
            _ => None,
        }
    }
}

const fn row(code: &'static str, http_status: u16, log_level: LogLevel, websocket_close: WebSocketClose) -> Row {
    Row { code, http_status, log_level, websocket_close }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::samples::one_error_of_each_kind;

    #[test]
    fn documented_status_of_each_code_is_that_of_the_table() {
        let documented = include_str!("../../docs/errors.md");
        for kind in one_error_of_each_kind().iter().map(crate::error::Error::kind) {
            let name = format!("| `{}`", kind.code());
            let rows = documented
                .lines()
                .filter(|line| line.strip_prefix(&name).is_some_and(|rest| rest.starts_with([' ', ','])));
            let rows: Vec<&str> = rows.collect();
            assert!(!rows.is_empty(), "docs/errors.md lacks {}", kind.code());
            if !matches!(kind, ErrorKind::Refused(_)) {
                let status = format!(" | {} | ", kind.http_status());
                assert!(
                    rows.iter().all(|row| row.contains(&status)),
                    "docs/errors.md: {} has not {status}",
                    kind.code()
                );
            }
        }
    }
}
