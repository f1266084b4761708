//! For tests: an error of each kind, so that each API layer can be compared with the table.

use sea_orm::Iterable;

use super::{Error, ErrorKind, Refusal, RefusalCode, TokenError};

/// Seconds of errors with a wait, different from any default.
const RETRY_AFTER: u64 = 42;

/// An error of each kind.
pub(crate) fn one_error_of_each_kind() -> Vec<Error> {
    ErrorKind::iter().flat_map(errors_of_kind).collect()
}

/// Fails unless an API layer answers each kind with the status of the table, except those in `exceptions`, which must
/// differ from it.
pub(crate) fn assert_statuses(status: impl Fn(Error) -> u16, exceptions: &[(ErrorKind, u16)]) {
    let mut differing = Vec::new();
    for error in one_error_of_each_kind() {
        let kind = error.kind();
        let status = status(error);
        if status != kind.http_status() {
            differing.push((kind, status));
        }
    }
    differing.dedup();
    assert_eq!(differing, exceptions, "kinds with another status than in the table");
}

/// The errors of a kind; the data of `kind` itself are placeholders.
fn errors_of_kind(kind: ErrorKind) -> Vec<Error> {
    let error = match kind {
        ErrorKind::Unauthenticated(_) => return TokenError::iter().map(Error::Unauthenticated).collect(),
        ErrorKind::Refused(_) => return RefusalCode::iter().map(|code| refusal(code).into()).collect(),
        ErrorKind::Forbidden => Error::Forbidden,
        ErrorKind::PasswordChangeRequired => Error::PasswordChangeRequired,
        ErrorKind::BadUserInput => Error::BadUserInput { argument: "first", problem: "not a number".to_owned() },
        ErrorKind::OperationTooComplex => {
            Error::OperationTooComplex { limit: "graphql.max_depth", max: "15".to_owned() }
        }
        ErrorKind::TooManySubscriptions => Error::TooManySubscriptions { max: 10 },
        ErrorKind::ServerBusy => Error::ServerBusy { retry_after: RETRY_AFTER },
        ErrorKind::StorageUnavailable => Error::StorageUnavailable(anyhow::anyhow!("no route to host")),
        ErrorKind::OneCredentialCheckPerRequest => Error::OneCredentialCheckPerRequest,
        ErrorKind::CrossSite => return vec![Error::CrossSite, Error::ThirdPartyCookies],
        ErrorKind::Internal => Error::internal("a cause"),
    };
    vec![error]
}

fn refusal(code: RefusalCode) -> Refusal {
    let retry_after = (code == RefusalCode::TooManyAttempts).then_some(RETRY_AFTER);
    Refusal { retry_after, ..Refusal::new(code, "a message") }
}
