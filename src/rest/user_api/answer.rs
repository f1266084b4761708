//! The dialect's failures: JSON with `message`, `error_code` and perhaps a `payload`, and Flask's own pages.

use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::account::requester::Client;
use crate::error::{Error, Refusal, RefusalCode, TokenFault};
use crate::rest::failure::{self, challenge};

/// A request that came to nothing.
#[derive(Debug)]
pub(super) struct Failure {
    shared: failure::Failure,
    code: &'static str,
    /// By field, what is wrong with it.
    payload: Option<Value>,
}

impl Failure {
    fn of(code: &'static str, shared: failure::Failure) -> Self {
        Self { shared, code, payload: None }
    }

    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self::of(code, failure::Failure::new(status, message))
    }

    /// Credentials that do not open the door.
    pub fn unauthorized(fault: TokenFault) -> Self {
        let message = if fault == TokenFault::Missing { "No credentials supplied." } else { "Invalid token." };
        Self::of("UNAUTHORIZED", failure::Failure::unauthorized(challenge(fault), message))
    }

    /// A login that failed, for whatever reason.
    pub fn wrong_login() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "Wrong login or / and password.")
    }

    /// A caller who is known and may not do this.
    pub fn not_admin() -> Self {
        Self::of("FORBIDDEN", failure::Failure::forbidden("You don't have the admin role(s)."))
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

    /// What no route has a text of its own for.
    pub fn other(error: &Error, client: &Client) -> Self {
        let code = match error {
            Error::Unauthenticated(fault) => return Self::unauthorized(*fault),
            Error::Forbidden => return Self::not_admin(),
            Error::Refused(refusals) => return refused(refusals),
            Error::BadUserInput { .. }
            | Error::TooComplex { .. }
            | Error::TooManySubscriptions { .. }
            | Error::SecondCredentialCheck => {
                return Self::unprocessable("UNPROCESSABLE_ENTITY", error.to_string());
            }
            Error::ForeignPage | Error::OtherSite | Error::PasswordChangeRequired => "FORBIDDEN",
            Error::Busy { .. } | Error::StorageUnavailable(_) => "SERVICE_UNAVAILABLE",
            Error::Internal(_) => "INTERNAL_SERVER_ERROR",
        };
        Self::of(code, failure::Failure::of(error, client))
    }
}

/// What a person can fix.
fn refused(refusals: &[Refusal]) -> Failure {
    let Some(first) = refusals.first() else { return Failure::conflict("Conflict.") };
    if let Some(retry_after) = first.retry_after {
        return Failure::of("TOO_MANY_REQUESTS", failure::Failure::too_many(retry_after, &first.message));
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
        let mut body = json!({ "error_code": self.code, "message": self.shared.text() });
        if let (Some(payload), Some(body)) = (self.payload, body.as_object_mut()) {
            body.insert("payload".to_owned(), payload);
        }
        self.shared.with_body(body)
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
