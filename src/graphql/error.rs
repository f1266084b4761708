//! Maps errors to GraphQL: top-level errors with a code, and errors that the user can correct as payload data.

use std::sync::Arc;

use async_graphql::{Context, Enum, ErrorExtensionValues, Pos, Response, ServerError, SimpleObject};

use crate::error::{self as errors, Error, LogLevel, Refusal};

/// Maximum number of errors in one response.
const MAX_ERRORS: usize = 20;

/// Maximum length of an error message, in code points.
const MAX_MESSAGE_CHARS: usize = 256;

/// The error of a resolver. It has no `Display`, so async-graphql's blanket conversion, which drops the code, cannot
/// apply.
pub struct ResolverError(Error);

/// The result of a resolver.
pub(super) type Result<T> = std::result::Result<T, ResolverError>;

impl From<Error> for ResolverError {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl From<ResolverError> for async_graphql::Error {
    fn from(ResolverError(error): ResolverError) -> Self {
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", error.code());
        match &error {
            Error::Unauthenticated(error) => extensions.set("reason", error.reason()),
            Error::BadUserInput { argument, .. } => extensions.set("argument", *argument),
            Error::Refused(refusals) => {
                if let Some(first) = refusals.first() {
                    extensions.set("path", input_path(first));
                }
            }
            Error::OperationTooComplex { limit, .. } => extensions.set("limit", *limit),
            Error::Forbidden
            | Error::PasswordChangeRequired
            | Error::CrossSite
            | Error::ThirdPartyCookies
            | Error::TooManySubscriptions { .. }
            | Error::ServerBusy { .. }
            | Error::StorageUnavailable(_)
            | Error::OneCredentialCheckPerRequest
            | Error::Internal(_) => {}
        }
        if let Some(seconds) = error.retry_after() {
            extensions.set("retryAfter", seconds);
        }
        Self { message: error.to_string(), source: Some(Arc::new(error)), extensions: Some(extensions) }
    }
}

/// Finalizes the errors of a response: logs hidden causes with `request_id`, adds missing codes and truncates messages.
pub fn finalize_errors(response: &mut Response, request_id: &str) {
    response.errors.truncate(MAX_ERRORS);
    for error in &mut response.errors {
        if let Some(source) = error.source::<Error>()
            && source.kind().log_level() != LogLevel::Off
        {
            source.log(request_id);
            set_extension(error, "requestId", request_id);
        }
        if error_code(error).is_none() {
            set_extension(
                error,
                "code",
                if error.path.is_empty() { "GRAPHQL_VALIDATION_FAILED" } else { "BAD_USER_INPUT" },
            );
        }
        if error.message.chars().count() > MAX_MESSAGE_CHARS {
            error.message = error.message.chars().take(MAX_MESSAGE_CHARS).chain(['…']).collect();
        }
    }
}

/// `error` without `locations`: a location counts from 1, and this error has none (GraphQL section 7.1.2).
pub fn without_location(error: impl Into<async_graphql::Error>) -> ServerError {
    let mut error = error.into().into_server_error(Pos::default());
    error.locations.clear();
    error
}

/// Whether `extensions.code` of the error is this code.
pub(crate) fn has_code(error: &ServerError, expected: &str) -> bool {
    matches!(error_code(error), Some(async_graphql::Value::String(code)) if code == expected)
}

fn error_code(error: &ServerError) -> Option<&async_graphql::Value> {
    error.extensions.as_ref()?.get("code")
}

fn set_extension(error: &mut ServerError, name: &str, value: &str) {
    error.extensions.get_or_insert_default().set(name, value);
}

/// The codes of a response's errors, for the access log.
pub fn codes(response: &Response) -> Vec<String> {
    let code = |error: &ServerError| match error_code(error)? {
        async_graphql::Value::String(code) => Some(code.clone()),
        _ => None,
    };
    response.errors.iter().filter_map(code).collect()
}

/// An error that the user can correct.
#[derive(SimpleObject, Debug, Clone)]
pub struct AccountError {
    /// The stable, machine-readable code.
    code: AccountErrorCode,
    /// A message for the user, in English; its wording may change.
    message: String,
    /// The path of the input field that caused the error, such as `["input", "newPassword"]`; empty if no single field
    /// did.
    path: Vec<String>,
    /// Password rules that were violated; empty unless the code is WEAK_PASSWORD.
    violations: Vec<PasswordViolation>,
    /// Seconds to wait before the next attempt; only with TOO_MANY_ATTEMPTS.
    retry_after: Option<u64>,
}

impl From<Refusal> for AccountError {
    fn from(refusal: Refusal) -> Self {
        let path = input_path(&refusal);
        let violations = refusal.violations.into_iter().map(PasswordViolation::from).collect();
        Self { code: refusal.code.into(), message: refusal.message, path, violations, retry_after: refusal.retry_after }
    }
}

fn input_path(refusal: &Refusal) -> Vec<String> {
    refusal.field.iter().flat_map(|field| ["input".to_owned(), (*field).to_owned()]).collect()
}

/// Codes of errors that the user can correct.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "errors::RefusalCode")]
pub enum AccountErrorCode {
    /// Unknown name, wrong password or disabled account; the response does not reveal which.
    InvalidCredentials,
    /// A rate limit is exceeded: wait `retryAfter` seconds.
    TooManyAttempts,
    /// Registration is closed: only administrators create users.
    RegistrationClosed,
    /// Another user has this e-mail address.
    EmailTaken,
    /// Another user has this username; letter case is ignored.
    UsernameTaken,
    /// Another role has this name; letter case is ignored.
    RoleNameTaken,
    /// Not a valid e-mail address.
    InvalidEmail,
    /// Not a valid username: use letters, digits, dots, dashes and underscores, beginning with a letter or a digit, in
    /// one script.
    InvalidUsername,
    /// Not a valid name: it is empty or contains control characters.
    InvalidName,
    /// The value exceeds its maximum length.
    TooLong,
    /// The password violates the password policy; `violations` lists the rules.
    WeakPassword,
    /// The new password equals the current one.
    SamePassword,
    /// The current password is wrong.
    WrongPassword,
    /// The request carries no refresh token: sign in.
    RefreshTokenMissing,
    /// The refresh token is malformed or not issued by this server: sign in.
    RefreshTokenInvalid,
    /// The session has ended (logout, idle or absolute timeout, revocation, password change): sign in.
    SessionEnded,
    /// A refresh token was reused after its replacement, so the session has been ended: sign in.
    RefreshTokenReused,
    /// The object does not exist or is not visible to the caller.
    NotFound,
    /// The object was changed concurrently: reload it and retry.
    Conflict,
    /// The change would leave the installation without an active administrator.
    LastAdmin,
    /// A role with this name does not exist.
    UnknownRole,
    /// Built-in roles cannot be changed or deleted.
    BuiltInRole,
    /// The user has 100 active API tokens, the maximum: revoke some.
    TooManyApiTokens,
    /// The default tenant cannot be disabled or deleted.
    DefaultTenant,
    /// The tenant still has users: delete them first.
    TenantHasUsers,
}

/// A rule of the password policy that a password violates.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "errors::PasswordViolation")]
pub enum PasswordViolation {
    /// Shorter than the policy's minimum length.
    TooShort,
    /// Longer than 256 characters or 1,024 bytes.
    TooLong,
    /// The password is on the list of common passwords.
    TooCommon,
    /// The password is a name of the user, such as the username or the e-mail address.
    ContainsIdentity,
    /// The password is estimated to be too easy to guess.
    Guessable,
}

/// The payload of a mutation, which can consist of `errors` alone.
pub(super) trait Payload {
    /// The payload of an operation that failed with these errors.
    fn from_errors(errors: Vec<AccountError>) -> Self;
}

/// Returns errors that the user can correct in the payload, if the query selects its `errors`. Otherwise they become a
/// top-level error with the same code and path, so that clients cannot miss them.
pub(super) fn into_payload<P: Payload>(ctx: &Context<'_>, result: errors::Result<P>) -> Result<P> {
    match result {
        Err(Error::Refused(refusals)) if ctx.look_ahead().field("errors").exists() => {
            Ok(P::from_errors(refusals.into_iter().map(AccountError::from).collect()))
        }
        result => Ok(result?),
    }
}
