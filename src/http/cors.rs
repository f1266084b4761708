//! Cross-origin resource sharing: which pages of other origins may read answers (Fetch Standard section 3.2).
//!
//! tower-http's layer answers every OPTIONS request itself, also those that are no preflight and that the REST dialects
//! answer with their methods; and it tells origins that are not listed what listed ones may do.

use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    ORIGIN, VARY,
};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::app::App;

/// What every answer to a listed origin says.
const ANSWER: [(HeaderName, &str); 2] = [
    (ACCESS_CONTROL_ALLOW_CREDENTIALS, "true"),
    (ACCESS_CONTROL_EXPOSE_HEADERS, "retry-after, www-authenticate, x-request-id"),
];

/// What the answer to a preflight says; four of the headers are those that Apollo clients add, and
/// the last one is what callers of Corvus send.
const PREFLIGHT: [(HeaderName, &str); 4] = [
    (ACCESS_CONTROL_ALLOW_CREDENTIALS, "true"),
    (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT, PATCH, DELETE, OPTIONS"),
    (
        ACCESS_CONTROL_ALLOW_HEADERS,
        "authorization, content-type, apollo-require-preflight, apollographql-client-name, \
        apollographql-client-version, x-apollo-operation-name, x-auth-token",
    ),
    (ACCESS_CONTROL_MAX_AGE, "600"),
];

/// Answers preflights, and lets pages of listed origins read answers. Others learn nothing.
pub(super) async fn share(State(app): State<App>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let origin = headers.get(ORIGIN).filter(|origin| app.config.browser.allows(origin.as_bytes())).cloned();
    let is_preflight = request.method() == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let (mut response, told) = if is_preflight {
        (StatusCode::NO_CONTENT.into_response(), &PREFLIGHT[..])
    } else {
        (next.run(request).await, &ANSWER[..])
    };
    response.headers_mut().append(VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        for (name, value) in told {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
    }
    response
}
