//! The dialect's failures: JSON with `message`, `error_code` and perhaps a `payload`, and Flask's own pages.

use axum::Json;
use axum::http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::account::requester::Client;
use crate::error::{Error, RETRY_AFTER as SOON, Refusal, RefusalCode, TokenFault};

/// A request that came to nothing.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    code: &'static str,
    message: String,
    /// By field, what is wrong with it.
    payload: Option<Value>,
    challenge: Option<&'static str>,
    /// Seconds after which the same request may do better.
    retry_after: Option<u64>,
}

impl Failure {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), payload: None, challenge: None, retry_after: None }
    }

    /// Credentials that do not open the door; the challenge names no error if none came (RFC 6750 section 3.1).
    pub fn unauthorized(fault: TokenFault) -> Self {
        let (message, challenge) = match fault {
            TokenFault::Missing => ("No credentials supplied.", "Bearer"),
            TokenFault::Malformed
            | TokenFault::Invalid
            | TokenFault::Expired
            | TokenFault::Replaced
            | TokenFault::SessionEnded => ("Invalid token.", "Bearer error=\"invalid_token\""),
        };
        Self { challenge: Some(challenge), ..Self::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", message) }
    }

    /// A login that failed, for whatever reason.
    pub fn wrong_login() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "Wrong login or / and password.")
    }

    /// A caller who is known and may not do this.
    pub fn not_admin() -> Self {
        Self {
            challenge: Some("Bearer error=\"insufficient_scope\""),
            ..Self::new(StatusCode::FORBIDDEN, "FORBIDDEN", "You don't have the admin role(s).")
        }
    }

    /// Somebody of another customer.
    pub fn of_another() -> Self {
        Self::new(StatusCode::FORBIDDEN, "FORBIDDEN", "Forbidden.")
    }

    /// Nobody.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", message)
    }

    /// What clashes with what is there.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "CONFLICT", message)
    }

    /// A request that is understood and cannot be done.
    pub fn unprocessable(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message)
    }

    /// A document with fields that are not as they have to be.
    pub fn wrong_document(payload: Map<String, Value>) -> Self {
        let message = "The submitted document doesn't have the right format.";
        Self { payload: Some(payload.into()), ..Self::unprocessable("WRONG_DOCUMENT_FORMAT", message) }
    }

    /// A query with members that are not as they have to be.
    pub fn wrong_args(payload: Map<String, Value>) -> Self {
        Self { payload: Some(payload.into()), ..Self::unprocessable("WRONG_ARGS", "Wrong args.") }
    }

    /// A body that does not say what it is.
    pub fn untyped() -> Self {
        let message = "The payload format is unknown.";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "WRONG_PAYLOAD_FORMAT", message)
    }

    /// A body that is too long.
    pub fn too_long() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "WRONG_PAYLOAD", "Wrong payload.")
    }

    /// What no route has a text of its own for; internal errors are logged here, and the client gets no cause.
    pub fn other(error: &Error, client: &Client) -> Self {
        match error {
            Error::Unauthenticated(fault) => Self::unauthorized(*fault),
            Error::Forbidden => Self::not_admin(),
            Error::Refused(refusals) => refused(refusals),
            Error::BadUserInput { .. }
            | Error::TooComplex { .. }
            | Error::TooManySubscriptions { .. }
            | Error::SecondCredentialCheck => Self::unprocessable("UNPROCESSABLE_ENTITY", error.to_string()),
            Error::ForeignPage | Error::PasswordChangeRequired => {
                Self::new(StatusCode::FORBIDDEN, "FORBIDDEN", error.to_string())
            }
            Error::Busy { retry_after } => Self {
                retry_after: Some(*retry_after),
                ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE", error.to_string())
            },
            Error::StorageUnavailable(cause) => {
                tracing::error!(request.id = client.request_id, cause = format!("{cause:#}"), "{error}");
                Self {
                    retry_after: Some(SOON),
                    ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE", error.to_string())
                }
            }
            Error::Internal(cause) => {
                tracing::error!(request.id = client.request_id, cause = format!("{cause:#}"), "internal error");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_SERVER_ERROR", "Internal Server Error")
            }
        }
    }
}

/// What a person can fix.
fn refused(refusals: &[Refusal]) -> Failure {
    let Some(first) = refusals.first() else { return Failure::conflict("Conflict.") };
    if let Some(retry_after) = first.retry_after {
        return Failure {
            retry_after: Some(retry_after),
            ..Failure::new(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS", &first.message)
        };
    }
    match first.code {
        RefusalCode::RegistrationClosed => Failure::new(StatusCode::FORBIDDEN, "FORBIDDEN", &first.message),
        RefusalCode::UsernameTaken | RefusalCode::EmailTaken | RefusalCode::Conflict | RefusalCode::LastAdmin => {
            Failure::conflict(&first.message)
        }
        _ => {
            let mut payload: Map<String, Value> = Map::new();
            for refusal in refusals {
                payload.insert(field(refusal).to_owned(), json!([refusal.message]));
            }
            Failure::wrong_document(payload)
        }
    }
}

/// The dialect's name of the field that a refusal blames.
fn field(refusal: &Refusal) -> &'static str {
    match refusal.field {
        Some("username" | "email") => "email",
        Some("displayName") => "name",
        Some("newPassword") => "password",
        Some(field) => field,
        None => "document",
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut body = json!({ "error_code": self.code, "message": self.message });
        if let (Some(payload), Some(body)) = (self.payload, body.as_object_mut()) {
            body.insert("payload".to_owned(), payload);
        }
        let challenge = self.challenge.map(|challenge| [(WWW_AUTHENTICATE, challenge)]);
        let retry_after = self.retry_after.map(|seconds| [(RETRY_AFTER, seconds.to_string())]);
        (self.status, challenge, retry_after, Json(body)).into_response()
    }
}

/// What Flask says of the pages that it makes of errors.
const HTML: &str = "text/html";

/// The route is there, but not for this method; the router adds `Allow`.
pub(super) fn method_not_allowed() -> Response {
    let text = "<p>The method is not allowed for the requested URL.</p>\n";
    page(StatusCode::METHOD_NOT_ALLOWED, HTML, "405 Method Not Allowed", "Method Not Allowed", text)
}

/// There is no such route, because what stands for a number is none.
pub(super) fn no_such_route() -> Response {
    let text = "<p>The requested URL was not found on the server. If you entered the URL manually please check your \
                spelling and try again.</p>\n";
    page(StatusCode::NOT_FOUND, HTML, "404 Not Found", "Not Found", text)
}

/// Sends the client on to the same address with a slash behind its path; without the host, whose name and scheme are
/// the affair of whatever stands in front.
pub(super) async fn with_slash(uri: Uri) -> Response {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let location = format!("{}/{query}", uri.path());
    let path = format!("{}/", uri.path());
    let text = format!(
        "<p>You should be redirected automatically to target URL: <a href=\"{path}\">{path}</a>.  If not click the link."
    );
    let page =
        page(StatusCode::PERMANENT_REDIRECT, "text/html; charset=utf-8", "Redirecting...", "Redirecting...", &text);
    ([(LOCATION, location)], page).into_response()
}

/// A page as Flask makes them.
fn page(status: StatusCode, media: &'static str, title: &str, heading: &str, text: &str) -> Response {
    let document = r#"<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">"#;
    let body = format!("{document}\n<title>{title}</title>\n<h1>{heading}</h1>\n{text}");
    (status, [(CONTENT_TYPE, media)], body).into_response()
}
