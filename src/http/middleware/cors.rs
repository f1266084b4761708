//! Cross-origin resource sharing: which origins may read responses (Fetch Standard section 3.2).
//!
//! tower-http's layer answers every OPTIONS request itself, also those that are no preflight and that REST dialects
//! answer with their methods. It also reveals the allowed methods and headers to unlisted origins.

use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    ORIGIN, VARY,
};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::app::App;

/// Headers of every response to a listed origin.
const RESPONSE_HEADERS: [(HeaderName, &str); 2] = [
    (ACCESS_CONTROL_ALLOW_CREDENTIALS, "true"),
    (ACCESS_CONTROL_EXPOSE_HEADERS, "retry-after, www-authenticate, x-request-id"),
];

/// Headers of the response to a preflight.
const PREFLIGHT_HEADERS: [(HeaderName, &str); 3] = [
    (ACCESS_CONTROL_ALLOW_CREDENTIALS, "true"),
    (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT, PATCH, DELETE, OPTIONS"),
    (ACCESS_CONTROL_MAX_AGE, "600"),
];

/// The request headers that the server reads, and those that Apollo clients add. The last one is for clients of Corvus.
const READ_HEADERS: &str = "authorization, content-type, apollo-require-preflight, apollographql-client-name, \
    apollographql-client-version, x-apollo-operation-name, last-event-id, x-auth-token";

/// The CORS decision for a request: what the page of another origin may read and send.
pub(in crate::http) struct Cors {
    /// The page's origin, if it is listed.
    origin: Option<HeaderValue>,
    /// The request headers that it may send; only in responses to preflights.
    allowed_headers: Option<HeaderValue>,
    is_preflight: bool,
}

impl Cors {
    /// The rules for the page that sent `request`.
    pub fn of(app: &App, request: &Request) -> Self {
        let headers = request.headers();
        let origin = headers.get(ORIGIN).filter(|origin| app.config.cors.allows_origin(origin.as_bytes())).cloned();
        let is_preflight = request.method() == Method::OPTIONS
            && headers.contains_key(ORIGIN)
            && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if is_preflight && origin.is_none() {
            log_refused_origin(headers.get(ORIGIN));
        }
        let headers = (is_preflight && origin.is_some()).then(|| header_list(&app.config.cors.allowed_headers));
        Self { origin, allowed_headers: headers.flatten(), is_preflight }
    }

    /// The response, if the request is a preflight.
    pub fn preflight(&self) -> Option<Response> {
        self.is_preflight.then(|| StatusCode::NO_CONTENT.into_response())
    }

    /// Adds the headers that let listed origins read the response. Other origins get none.
    pub fn apply(self, response: &mut Response) {
        response.headers_mut().append(VARY, HeaderValue::from_static("origin"));
        let Some(origin) = self.origin else { return };
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        let fixed_headers = if self.is_preflight { PREFLIGHT_HEADERS.as_slice() } else { RESPONSE_HEADERS.as_slice() };
        for (name, value) in fixed_headers {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        if let Some(headers) = self.allowed_headers {
            response.headers_mut().insert(ACCESS_CONTROL_ALLOW_HEADERS, headers);
        }
    }
}

/// Logs the refused origin for the operator: the browser only reports a failed request.
fn log_refused_origin(origin: Option<&HeaderValue>) {
    let text = String::from_utf8_lossy(origin.map_or(b"", HeaderValue::as_bytes));
    let origin: String = text.chars().take(MAX_LOGGED_CHARS).collect();
    tracing::info!(origin = ?origin, "cross-origin request refused: the origin is not in cors.origins");
}

/// Maximum characters of an origin in the log.
const MAX_LOGGED_CHARS: usize = 100;

/// The value of `Access-Control-Allow-Headers`.
fn header_list(more: &[String]) -> Option<HeaderValue> {
    let names: Vec<&str> = std::iter::once(READ_HEADERS).chain(more.iter().map(String::as_str)).collect();
    HeaderValue::from_str(&names.join(", ")).ok()
}
