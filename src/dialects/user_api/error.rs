//! Error responses of the dialect: JSON with `message`, `error_code` and an optional `payload`, and Flask's HTML pages.

use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::account::caller::request_context::RequestContext;
use crate::dialects::http_error;
use crate::error::{Error, Refusal, RefusalCode, TokenError};

/// An error response.
#[derive(Debug)]
pub(super) struct UserApiError {
    http_error: http_error::HttpError,
    code: &'static str,
    /// Errors by field.
    payload: Option<Value>,
}

impl UserApiError {
    fn with_code(code: &'static str, http_error: http_error::HttpError) -> Self {
        Self { http_error, code, payload: None }
    }

    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self::with_code(code, http_error::HttpError::new(status, message))
    }

    /// 401: the credentials are invalid or missing.
    pub fn unauthorized(fault: TokenError) -> Self {
        let message = if fault == TokenError::Missing { "No credentials supplied." } else { "Invalid token." };
        Self::with_code("UNAUTHORIZED", http_error::HttpError::unauthorized(fault.bearer_challenge(), message))
    }

    /// 401: the login failed; the reason is not disclosed.
    pub fn wrong_credentials() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "Wrong login or / and password.")
    }

    /// 403: the caller is authenticated and lacks the permission.
    pub fn missing_admin_role() -> Self {
        Self::with_code("FORBIDDEN", http_error::HttpError::forbidden("You don't have the admin role(s)."))
    }

    /// 403: the user belongs to another customer.
    pub fn other_tenant() -> Self {
        Self::new(StatusCode::FORBIDDEN, "FORBIDDEN", "Forbidden.")
    }

    /// 404: there is no such user.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", message)
    }

    /// 409: the request conflicts with existing data.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "CONFLICT", message)
    }

    /// 422: the request is well-formed and cannot be processed.
    pub fn unprocessable(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message)
    }

    /// 422: fields of the document are invalid; `payload` has the errors by field.
    pub fn wrong_document_format(payload: Map<String, Value>) -> Self {
        let message = "The submitted document doesn't have the right format.";
        Self { payload: Some(payload.into()), ..Self::unprocessable("WRONG_DOCUMENT_FORMAT", message) }
    }

    /// 422: query parameters are invalid; `payload` has the errors by parameter.
    pub fn wrong_args(payload: Map<String, Value>) -> Self {
        Self { payload: Some(payload.into()), ..Self::unprocessable("WRONG_ARGS", "Wrong args.") }
    }

    /// 415: the body has no `Content-Type`.
    pub fn missing_content_type() -> Self {
        let message = "The payload format is unknown.";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "WRONG_PAYLOAD_FORMAT", message)
    }

    /// 413: the body is too large.
    pub fn payload_too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "WRONG_PAYLOAD", "Wrong payload.")
    }

    /// The response to an error that the route has no text of its own for: by the table of errors, except that the old
    /// service answered 422 where the table has 400, and some refusals with 403 or 409.
    pub fn from_error(error: &Error, context: &RequestContext) -> Self {
        match error {
            Error::Unauthenticated(fault) => return Self::unauthorized(*fault),
            Error::Forbidden => return Self::missing_admin_role(),
            Error::Refused(refusals) if error.retry_after().is_none() => return refusal_error(refusals),
            _ => {}
        }
        let http_error = http_error::HttpError::from_error(error, context);
        let code = match http_error.status() {
            StatusCode::BAD_REQUEST => return Self::unprocessable("UNPROCESSABLE_ENTITY", http_error.message()),
            StatusCode::FORBIDDEN => "FORBIDDEN",
            StatusCode::TOO_MANY_REQUESTS => "TOO_MANY_REQUESTS",
            StatusCode::SERVICE_UNAVAILABLE => "SERVICE_UNAVAILABLE",
            _ => "INTERNAL_SERVER_ERROR",
        };
        Self::with_code(code, http_error)
    }
}

/// Maps refusals, which the user can correct.
fn refusal_error(refusals: &[Refusal]) -> UserApiError {
    let Some(first) = refusals.first() else { return UserApiError::conflict("Conflict.") };
    match first.code {
        RefusalCode::RegistrationClosed => UserApiError::new(StatusCode::FORBIDDEN, "FORBIDDEN", &first.message),
        RefusalCode::UsernameTaken | RefusalCode::EmailTaken | RefusalCode::Conflict | RefusalCode::LastAdmin => {
            UserApiError::conflict(&first.message)
        }
        _ => {
            let mut payload: Map<String, Value> = Map::new();
            for refusal in refusals {
                payload.insert(field_name(refusal).to_owned(), json!([refusal.message]));
            }
            UserApiError::wrong_document_format(payload)
        }
    }
}

/// The dialect's name of a refusal's field.
fn field_name(refusal: &Refusal) -> &'static str {
    match refusal.field {
        Some("username" | "email") => "email",
        Some("displayName") => "name",
        Some("newPassword") => "password",
        Some(field) => field,
        None => "document",
    }
}

impl IntoResponse for UserApiError {
    fn into_response(self) -> Response {
        let mut body = json!({ "error_code": self.code, "message": self.http_error.message() });
        if let (Some(payload), Some(body)) = (self.payload, body.as_object_mut()) {
            body.insert("payload".to_owned(), payload);
        }
        self.http_error.into_response_with(body)
    }
}

/// Media type of Flask's error pages.
const HTML: &str = "text/html";

/// Flask's 405 page; the router adds `Allow`.
pub(super) fn method_not_allowed() -> Response {
    let text = "<p>The method is not allowed for the requested URL.</p>\n";
    html_page(StatusCode::METHOD_NOT_ALLOWED, HTML, "405 Method Not Allowed", "Method Not Allowed", text)
}

/// Flask's 404 page, for a path whose id is not a number.
pub(super) fn route_not_found() -> Response {
    let text = "<p>The requested URL was not found on the server. If you entered the URL manually please check your \
                spelling and try again.</p>\n";
    html_page(StatusCode::NOT_FOUND, HTML, "404 Not Found", "Not Found", text)
}

/// Redirects to the same path with a trailing slash. The location has no host, because a proxy in front may change name
/// and scheme.
pub(super) async fn redirect_with_slash(uri: Uri) -> Response {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let location = format!("{}/{query}", uri.path());
    let path = format!("{}/", uri.path());
    let text = format!(
        "<p>You should be redirected automatically to target URL: <a href=\"{path}\">{path}</a>.  If not click the link."
    );
    let page = html_page(
        StatusCode::PERMANENT_REDIRECT,
        "text/html; charset=utf-8",
        "Redirecting...",
        "Redirecting...",
        &text,
    );
    ([(LOCATION, location)], page).into_response()
}

/// An HTML page in Flask's form.
fn html_page(status: StatusCode, media: &'static str, title: &str, heading: &str, text: &str) -> Response {
    let document = r#"<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">"#;
    let body = format!("{document}\n<title>{title}</title>\n<h1>{heading}</h1>\n{text}");
    (status, [(CONTENT_TYPE, media)], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind::{self, Refused};
    use crate::error::samples::{assert_statuses, one_error_of_each_kind};

    #[test]
    fn user_api_responds_by_the_table_except_for_422_403_and_409() {
        let context = RequestContext::new(None, None, String::new());
        let exceptions = one_error_of_each_kind().into_iter().map(|error| error.kind()).filter_map(|kind| match kind {
            Refused(RefusalCode::RegistrationClosed) => Some((kind, 403)),
            Refused(
                RefusalCode::UsernameTaken | RefusalCode::EmailTaken | RefusalCode::Conflict | RefusalCode::LastAdmin,
            ) => Some((kind, 409)),
            _ if kind.http_status() == 400 => Some((kind, 422)),
            _ => None,
        });
        let exceptions: Vec<(ErrorKind, u16)> = exceptions.collect();
        assert_statuses(
            |error| UserApiError::from_error(&error, &context).into_response().status().as_u16(),
            &exceptions,
        );
    }
}
