//! Kinds of errors: an error without its data, as a key of the table in `table.rs`.

use super::refusal::RefusalCode;
use super::token_error::TokenError;

/// What clients, the log and the server tell apart. A new kind needs a row in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(sea_orm::EnumIter))]
pub enum ErrorKind {
    /// The credentials are missing or invalid.
    Unauthenticated(TokenError),
    /// The caller lacks a permission.
    Forbidden,
    /// The caller must set a new password first.
    PasswordChangeRequired,
    /// An invalid argument of client software.
    BadUserInput,
    /// The operation exceeds a limit of one request.
    OperationTooComplex,
    /// The caller has the maximum number of open subscriptions.
    TooManySubscriptions,
    /// The server is at capacity.
    ServerBusy,
    /// The database does not respond or cannot store.
    StorageUnavailable,
    /// A second password verification in one request.
    OneCredentialCheckPerRequest,
    /// Cookies from or for a page of an origin or site that is not allowed.
    CrossSite,
    /// A problem that the user can fix.
    Refused(RefusalCode),
    /// Any other error.
    Internal,
}
