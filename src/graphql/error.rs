//! The only map from failures to GraphQL: request errors with a code, and what a person can fix as data.

use std::sync::Arc;

use async_graphql::{Context, Enum, ErrorExtensionValues, Pos, Response, ServerError, SimpleObject};

use crate::error::{self as errors, Error, Refusal};

/// Most errors that one answer shows.
const MAX_ERRORS: usize = 20;

/// Longest message that an answer shows, in code points.
const MAX_MESSAGE_CHARS: usize = 256;

/// A failure on its way to the client. It has no `Display`: the blanket conversion that drops codes cannot apply.
pub struct ResolverError(Error);

/// The result of every resolver.
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
            Error::Unauthenticated(fault) => extensions.set("reason", fault.reason()),
            Error::BadUserInput { argument, .. } => extensions.set("argument", *argument),
            Error::Refused(refusals) => {
                if let Some(first) = refusals.first() {
                    extensions.set("path", input_path(first));
                    if let Some(retry_after) = first.retry_after {
                        extensions.set("retryAfter", retry_after);
                    }
                }
            }
            Error::OperationTooComplex { limit, .. } => extensions.set("limit", *limit),
            Error::ServerBusy { retry_after } => extensions.set("retryAfter", *retry_after),
            Error::StorageUnavailable(_) => extensions.set("retryAfter", errors::RETRY_AFTER_SECONDS),
            Error::Forbidden
            | Error::PasswordChangeRequired
            | Error::CrossSite
            | Error::ThirdPartyCookies
            | Error::TooManySubscriptions { .. }
            | Error::OneCredentialCheckPerRequest
            | Error::Internal(_) => {}
        }
        Self { message: error.to_string(), source: Some(Arc::new(error)), extensions: Some(extensions) }
    }
}

/// Makes an answer fit to leave the house: logs the causes that clients do not see with `request_id`, gives a code to
/// errors that the library made, and shortens what is long.
pub fn finalize_errors(response: &mut Response, request_id: &str) {
    response.errors.truncate(MAX_ERRORS);
    for error in &mut response.errors {
        if let Some(failure @ (Error::Internal(cause) | Error::StorageUnavailable(cause))) = error.source::<Error>() {
            tracing::error!(request.id = request_id, cause = format!("{cause:#}"), "{failure}");
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

/// `error` as one that belongs to no place in the document: places count from 1 (GraphQL section 7.1.2).
pub fn without_location(error: impl Into<async_graphql::Error>) -> ServerError {
    let mut error = error.into().into_server_error(Pos::default());
    error.locations.clear();
    error
}

/// Whether the error has this code.
pub(crate) fn has_code(error: &ServerError, expected: &str) -> bool {
    matches!(error_code(error), Some(async_graphql::Value::String(code)) if code == expected)
}

fn error_code(error: &ServerError) -> Option<&async_graphql::Value> {
    error.extensions.as_ref()?.get("code")
}

fn set_extension(error: &mut ServerError, name: &str, value: &str) {
    error.extensions.get_or_insert_default().set(name, value);
}

/// The codes of an answer's errors, for the log.
pub fn codes(response: &Response) -> Vec<String> {
    let code = |error: &ServerError| match error_code(error)? {
        async_graphql::Value::String(code) => Some(code.clone()),
        _ => None,
    };
    response.errors.iter().filter_map(code).collect()
}

/// What a person can fix.
#[derive(SimpleObject, Debug, Clone)]
pub struct AccountError {
    /// What kind of thing it is; stable.
    code: AccountErrorCode,
    /// A sentence that may be shown to the person; may change.
    message: String,
    /// The input field to blame, such as `["input", "newPassword"]`; empty if none is.
    path: Vec<String>,
    /// What the password lacks; only with WEAK_PASSWORD.
    violations: Vec<PasswordViolation>,
    /// Seconds to wait; only with TOO_MANY_ATTEMPTS.
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

/// The kinds of things that a person can fix.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "errors::RefusalCode")]
pub enum AccountErrorCode {
    /// The name and the password do not belong together, or the account cannot sign in; which of them is not told.
    InvalidCredentials,
    /// It was tried too often; `retryAfter` says how long to wait.
    TooManyAttempts,
    /// Accounts are made by an administrator here.
    RegistrationClosed,
    /// Another account has this e-mail address.
    EmailTaken,
    /// Another account has this username.
    UsernameTaken,
    /// Another role has this name.
    RoleNameTaken,
    /// Not an e-mail address.
    InvalidEmail,
    /// Not a username.
    InvalidUsername,
    /// Not a name: empty, or with control characters.
    InvalidName,
    /// Longer than allowed.
    TooLong,
    /// The password does not meet the policy; `violations` says why.
    WeakPassword,
    /// The new password is the old one.
    SamePassword,
    /// The current password is wrong.
    WrongPassword,
    /// No refresh token was sent: sign in.
    RefreshTokenMissing,
    /// Not a refresh token of this server: sign in.
    RefreshTokenInvalid,
    /// The session ended (logout, idle, absolute limit, administrator, password change): sign in.
    SessionEnded,
    /// A refresh token that was replaced long ago came back: the session was ended. Sign in.
    RefreshTokenReused,
    /// There is no such thing, or none that the caller may see.
    NotFound,
    /// Somebody else changed it at the same time: look again and repeat.
    Conflict,
    /// It would leave the installation without an active administrator.
    LastAdmin,
    /// No role has this name.
    UnknownRole,
    /// Built-in roles do not change.
    BuiltInRole,
    /// The account has 100 API tokens that are neither revoked nor over: revoke some.
    TooManyApiTokens,
    /// The first tenant is the installation's own: it is neither disabled nor deleted.
    DefaultTenant,
    /// A tenant with users is not deleted: delete them first.
    TenantHasUsers,
}

/// What a password lacks.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "errors::PasswordViolation")]
pub enum PasswordViolation {
    /// Fewer characters than the policy asks for.
    TooShort,
    /// More than 256 characters.
    TooLong,
    /// On the list of common passwords.
    TooCommon,
    /// It is a name of the account itself.
    ContainsIdentity,
    /// A guesser gets there too soon.
    Guessable,
}

/// What every mutation answers with: an object that can carry what a person can fix, and nothing else.
pub(super) trait Payload {
    /// The payload of an operation that was refused for these reasons.
    fn from_errors(errors: Vec<AccountError>) -> Self;
}

/// Puts what a person can fix into the payload, if the query selects `errors` there; if not, it is raised at top
/// level with the same code and path, so that nobody overlooks it.
pub(super) fn into_payload<P: Payload>(ctx: &Context<'_>, result: errors::Result<P>) -> Result<P> {
    match result {
        Err(Error::Refused(refusals)) if ctx.look_ahead().field("errors").exists() => {
            Ok(P::from_errors(refusals.into_iter().map(AccountError::from).collect()))
        }
        settled => Ok(settled?),
    }
}
