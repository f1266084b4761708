//! Errors in the form of the older service: message, locations and path, without extensions.

use std::any::Any;
use std::sync::Arc;

use async_graphql::{Response, ServerError};

use crate::error::{Error, ErrorKind, RefusalCode};
use crate::graphql::document::syntax_error::SYNTAX_ERROR_CODE;
use crate::graphql::error::has_code;

/// Maximum number of errors in one response.
const MAX_ERRORS: usize = 20;

/// Maximum length of an error message, in code points.
const MAX_MESSAGE_CHARS: usize = 256;

/// The message for a malformed request or new password.
pub(super) const BAD_REQUEST: &str = "bad_request";

/// The error of a resolver. It has no `Display`, so async-graphql's blanket conversion, which drops the source, cannot
/// apply.
pub struct LegacyError {
    message: String,
    /// The cause, if there is one besides the message.
    source: Option<Arc<Error>>,
}

/// The result of a resolver.
pub(super) type Result<T> = std::result::Result<T, LegacyError>;

impl LegacyError {
    /// An error with this message and without a cause.
    pub(super) fn with_message(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None }
    }
}

impl From<Error> for LegacyError {
    fn from(error: Error) -> Self {
        let message = match &error {
            Error::Unauthenticated(_) | Error::Forbidden => "unauthorized".to_owned(),
            other => other.to_string(),
        };
        Self { message, source: Some(Arc::new(error)) }
    }
}

impl From<LegacyError> for async_graphql::Error {
    fn from(error: LegacyError) -> Self {
        let source = error.source.map(|source| source as Arc<dyn Any + Send + Sync>);
        Self { message: error.message, source, extensions: None }
    }
}

/// The code of the first refusal.
pub(super) fn first_refusal(error: &Error) -> Option<RefusalCode> {
    match error {
        Error::Refused(refusals) => refusals.first().map(|refusal| refusal.code),
        _ => None,
    }
}

/// Whether the first refusal is NOT_FOUND.
pub(super) fn is_not_found(error: &Error) -> bool {
    first_refusal(error) == Some(RefusalCode::NotFound)
}

/// Maps NOT_FOUND to the older service's message.
pub(super) fn map_not_found(error: Error) -> LegacyError {
    if is_not_found(&error) { LegacyError::with_message("not_found") } else { error.into() }
}

/// The error that fails the whole request, if any; the HTTP status reports it.
pub(super) fn fatal(response: &Response) -> Option<Arc<Error>> {
    let source = response.errors.first()?.source.clone()?;
    source.downcast::<Error>().ok().filter(|error| {
        let kind = error.kind();
        kind == ErrorKind::PasswordChangeRequired || kind.http_status() >= 429
    })
}

/// Finalizes the errors of a response: logs hidden causes with `request_id` and translates messages to those of the
/// older service. Messages do not repeat the query, which may contain a password.
pub(super) fn to_legacy_errors(response: &mut Response, request_id: &str) {
    response.errors.truncate(MAX_ERRORS);
    for error in &mut response.errors {
        if let Some(source) = error.source::<Error>() {
            source.log(request_id);
        }
        if let Some(message) = legacy_message(error) {
            error.message = message;
        }
        error.extensions = None;
        if error.message.chars().count() > MAX_MESSAGE_CHARS {
            error.message = error.message.chars().take(MAX_MESSAGE_CHARS).chain(['…']).collect();
        }
    }
}

/// The older service's message for an error of async-graphql; `None` for other errors.
fn legacy_message(error: &ServerError) -> Option<String> {
    if has_code(error, SYNTAX_ERROR_CODE) {
        let location = error.locations.first().map_or_else(String::new, |at| format!(" ({}:{})", at.line, at.column));
        return Some(format!("Syntax Error GraphQL{location} {}", error.message.trim_start_matches("syntax error: ")));
    }
    if error.message.starts_with("Expected input type") {
        // The rest of the message repeats the value, which may be a password.
        return error.message.split_once(", found").map(|(expected, _)| expected.to_owned());
    }
    if let Some(unknown) = error.message.strip_prefix("type `") {
        let (ty, field) = unknown.trim_end_matches('`').split_once("` does not have a field `")?;
        return Some(format!("Cannot query field \"{field}\" on type \"{ty}\"."));
    }
    let (object, field) = error.message.strip_prefix("the required field `")?.split_once('`')?.0.split_once('.')?;
    Some(format!("In field \"{field}\": Expected a value of type \"{object}\" to have it."))
}
