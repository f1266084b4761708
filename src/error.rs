//! All errors of the use cases, independent of transport; their codes are part of the public contract.

use sea_orm::{DbErr, SqlErr};

mod kind;
mod outage;
mod refusal;
#[cfg(test)]
pub(crate) mod samples;
mod table;
mod token_error;

pub use kind::ErrorKind;
pub(crate) use outage::is_database_busy;
pub use refusal::{PasswordViolation, Refusal, RefusalCode};
pub use table::{LogLevel, WebSocketClose};
pub use token_error::TokenError;

use outage::Outage;

/// Result of every fallible operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Seconds until a client retries when there is no better estimate.
pub const RETRY_AFTER_SECONDS: u64 = 1;

/// Why an operation was refused or failed. [`Error::Refused`] is for the user; the other variants are for client
/// software.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The credentials are missing or invalid.
    #[error("{}", .0.explanation())]
    Unauthenticated(TokenError),
    /// The caller lacks a permission.
    #[error("you do not have the permission for this")]
    Forbidden,
    /// The caller must set a new password before anything else.
    #[error("choose a new password first: updatePassword")]
    PasswordChangeRequired,
    /// An invalid argument of client software: an id, a cursor, a page size.
    #[error("{argument}: {problem}")]
    BadUserInput {
        /// The argument's name.
        argument: &'static str,
        /// The problem and the fix.
        problem: String,
    },
    /// The operation exceeds a limit of one request.
    #[error("the operation is too complex: {limit} is {max}")]
    OperationTooComplex {
        /// The exceeded setting.
        limit: &'static str,
        /// Its value.
        max: String,
    },
    /// The caller has the maximum number of open subscriptions.
    #[error("this account has {max} open subscriptions: end some, or share one between your tabs")]
    TooManySubscriptions {
        /// The setting `graphql.max_subscriptions_per_user`.
        max: usize,
    },
    /// The server is at capacity; nothing was changed.
    #[error("the server is busy: try again in {retry_after} s")]
    ServerBusy {
        /// Seconds until a retry.
        retry_after: u64,
    },
    /// The database does not respond or cannot store; nothing was acknowledged. The cause is logged, never shown.
    #[error("database unavailable: try again later")]
    StorageUnavailable(#[source] anyhow::Error),
    /// A second password verification in one request.
    #[error("one request can verify one password: send the others separately")]
    OneCredentialCheckPerRequest,
    /// Cookies need an allowed origin, and the request does not prove one.
    #[error(
        "cookies require an allowed origin: add it to the setting cors.origins, or use the transport BODY; for the \
         server's own origin, the proxy must forward Host unchanged"
    )]
    CrossSite,
    /// Cookies that the browser would drop: the origin is allowed, but of another site than the server.
    #[error(
        "page and server are on different sites (localhost and 127.0.0.1 are two), so browsers would drop cookies: \
         use one host name, or the transport BODY"
    )]
    ThirdPartyCookies,
    /// Problems that the user can fix, at least one.
    #[error("{}", .0.first().map_or("refused", |refusal| &refusal.message))]
    Refused(Vec<Refusal>),
    /// Any other error; the cause is logged, never shown.
    #[error("internal error")]
    Internal(#[source] anyhow::Error),
}

impl Error {
    /// The kind, which has a row in the table of codes, statuses, log levels and close codes.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Unauthenticated(error) => ErrorKind::Unauthenticated(*error),
            Self::Forbidden => ErrorKind::Forbidden,
            Self::PasswordChangeRequired => ErrorKind::PasswordChangeRequired,
            Self::BadUserInput { .. } => ErrorKind::BadUserInput,
            Self::OperationTooComplex { .. } => ErrorKind::OperationTooComplex,
            Self::TooManySubscriptions { .. } => ErrorKind::TooManySubscriptions,
            Self::ServerBusy { .. } => ErrorKind::ServerBusy,
            Self::StorageUnavailable(_) => ErrorKind::StorageUnavailable,
            Self::OneCredentialCheckPerRequest => ErrorKind::OneCredentialCheckPerRequest,
            Self::CrossSite | Self::ThirdPartyCookies => ErrorKind::CrossSite,
            Self::Refused(refusals) => {
                ErrorKind::Refused(refusals.first().map_or(RefusalCode::Conflict, |first| first.code))
            }
            Self::Internal(_) => ErrorKind::Internal,
        }
    }

    /// The stable, machine-readable code.
    pub fn code(&self) -> &'static str {
        self.kind().code()
    }

    /// Seconds until a retry may succeed, if waiting helps.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::ServerBusy { retry_after } => Some(*retry_after),
            Self::StorageUnavailable(_) => Some(RETRY_AFTER_SECONDS),
            Self::Refused(refusals) => refusals.first()?.retry_after,
            _ => None,
        }
    }

    /// Logs an error that its kind has a log level for, with its causes. Each API layer calls it once, where the error
    /// becomes a response, so that nothing is logged twice.
    pub fn log(&self, request_id: &str) {
        match self.kind().log_level() {
            LogLevel::Off => {}
            LogLevel::Error => {
                let cause = self.cause().map(|cause| format!("{cause:#}"));
                tracing::error!(request.id = request_id, cause, "{self}");
            }
        }
    }

    /// The cause, which is for the log and never for a client.
    fn cause(&self) -> Option<&anyhow::Error> {
        match self {
            Self::StorageUnavailable(cause) | Self::Internal(cause) => Some(cause),
            _ => None,
        }
    }

    /// Whether it is a refusal with this code.
    pub fn is_refusal(&self, code: RefusalCode) -> bool {
        matches!(self, Self::Refused(refusals) if refusals.iter().any(|refusal| refusal.code == code))
    }

    /// An internal error with a message that says what failed.
    pub fn internal(cause: impl std::fmt::Display + std::fmt::Debug + Send + Sync + 'static) -> Self {
        Self::Internal(anyhow::Error::msg(cause))
    }
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        match Outage::from_error(&error) {
            Some(Outage::Busy) => Self::ServerBusy { retry_after: RETRY_AFTER_SECONDS },
            Some(Outage::Unavailable) => Self::StorageUnavailable(error.into()),
            None => Self::Internal(error.into()),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(vec![refusal])
    }
}

/// Maps a violated unique index to a refusal; other database errors stay internal.
///
/// `meanings` pairs a column with its refusal. All three databases end their message with the column, or with an index
/// named after it; the text before it may hold user input.
pub fn map_unique_violation(error: DbErr, meanings: &[(&str, Refusal)]) -> Error {
    if let Some(SqlErr::UniqueConstraintViolation(message)) = error.sql_err()
        && let Some(place) = message.split_whitespace().last()
        && let Some((_, refusal)) = meanings.iter().find(|(column, _)| place.contains(column))
    {
        return refusal.clone().into();
    }
    error.into()
}
