//! Failures in the old service's words: a message, its place and nothing else.

use std::any::Any;
use std::sync::Arc;

use async_graphql::{Response, ServerError};

use crate::error::{Error, RefusalCode};
use crate::graphql::document::SYNTAX_ERROR_CODE;

/// Most errors that one answer shows.
const MAX_ERRORS: usize = 20;

/// Longest message that an answer shows, in code points.
const MAX_MESSAGE_CHARS: usize = 256;

/// The request or the new password is not of the form that it has to be.
pub(super) const BAD_REQUEST: &str = "bad_request";

/// A failure on its way to the client. It has no `Display`, so that nothing turns it into a mere text.
pub struct LegacyError {
    message: String,
    /// What it comes from, if it is more than a word for the client.
    source: Option<Arc<Error>>,
}

/// The result of every resolver.
pub(super) type Result<T> = std::result::Result<T, LegacyError>;

impl LegacyError {
    /// The failure with these words.
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
    fn from(failure: LegacyError) -> Self {
        let source = failure.source.map(|source| source as Arc<dyn Any + Send + Sync>);
        Self { message: failure.message, source, extensions: None }
    }
}

/// What a use case refused first.
pub(super) fn first_refusal(error: &Error) -> Option<RefusalCode> {
    match error {
        Error::Refused(refusals) => refusals.first().map(|refusal| refusal.code),
        _ => None,
    }
}

/// Why the request as a whole was stopped, if it was: callers know these by the status of the answer.
pub(super) fn fatal(response: &Response) -> Option<Arc<Error>> {
    let source = response.errors.first()?.source.clone()?;
    source.downcast::<Error>().ok().filter(|error| match &**error {
        Error::PasswordChangeRequired
        | Error::ServerBusy { .. }
        | Error::StorageUnavailable(_)
        | Error::Internal(_) => true,
        error => first_refusal(error) == Some(RefusalCode::TooManyAttempts),
    })
}

/// Makes an answer fit to leave the house: logs the causes that clients do not see with `request_id`, and says in the old
/// words what the library found. The query, which may hold a password, is not repeated.
pub(super) fn to_legacy_errors(response: &mut Response, request_id: &str) {
    response.errors.truncate(MAX_ERRORS);
    for error in &mut response.errors {
        if let Some(failure @ (Error::Internal(cause) | Error::StorageUnavailable(cause))) = error.source::<Error>() {
            tracing::error!(request.id = request_id, cause = format!("{cause:#}"), "{failure}");
        }
        let is_syntax = crate::graphql::error::has_code(error, SYNTAX_ERROR_CODE);
        error.extensions = None;
        if let Some(words) = legacy_message(error, is_syntax) {
            error.message = words;
        }
        if error.message.chars().count() > MAX_MESSAGE_CHARS {
            error.message = error.message.chars().take(MAX_MESSAGE_CHARS).chain(['…']).collect();
        }
    }
}

fn legacy_message(error: &ServerError, is_syntax: bool) -> Option<String> {
    if is_syntax {
        let place = error.locations.first().map_or_else(String::new, |at| format!(" ({}:{})", at.line, at.column));
        return Some(format!("Syntax Error GraphQL{place} {}", error.message.trim_start_matches("syntax error: ")));
    }
    if error.message.starts_with("Expected input type") {
        // What was found instead may be a password.
        return error.message.split_once(", found").map(|(expected, _)| expected.to_owned());
    }
    if let Some(unknown) = error.message.strip_prefix("type `") {
        let (ty, field) = unknown.trim_end_matches('`').split_once("` does not have a field `")?;
        return Some(format!("Cannot query field \"{field}\" on type \"{ty}\"."));
    }
    let (object, field) = error.message.strip_prefix("the required field `")?.split_once('`')?.0.split_once('.')?;
    Some(format!("In field \"{field}\": Expected a value of type \"{object}\" to have it."))
}
