//! The HTTP answer to GraphQL responses, and to what is no GraphQL request.

use std::slice;

use async_graphql::{Response as GraphQlResponse, ServerError, Value as Data};
use axum::body::Body;
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Response, StatusCode};
use serde::Serialize;
use serde_json::json;

use super::negotiation::ResponseMedia;
use crate::graphql::error::without_location;
use crate::graphql::limits::response::{oversized_response, to_json_within};
use crate::http::middleware::access_log::LoggedOperation;

/// What is no GraphQL request, so that nothing of it was run.
pub(in crate::http) struct RequestError {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl RequestError {
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "BAD_REQUEST", message: message.into() }
    }

    pub fn mutation_by_get() -> Self {
        let message = "send mutations by POST".to_owned();
        Self { status: StatusCode::METHOD_NOT_ALLOWED, code: "METHOD_NOT_ALLOWED", message }
    }

    pub fn subscription_needs_stream() -> Self {
        Self::bad_request(
            "subscriptions run over a WebSocket at this address with the subprotocol graphql-transport-ws, or as \
            server-sent events: accept text/event-stream",
        )
    }

    pub fn cross_site() -> Self {
        let message = "this page may not open a WebSocket here: add its origin to the setting cors.origins; if it is \
            the server's own, the proxy in front has to pass Host on as it came"
            .to_owned();
        Self { status: StatusCode::FORBIDDEN, code: "CSRF_REFUSED", message }
    }

    pub fn not_acceptable() -> Self {
        let message = "accept application/json or application/graphql-response+json; text/event-stream is for \
            subscriptions"
            .to_owned();
        Self { status: StatusCode::NOT_ACCEPTABLE, code: "NOT_ACCEPTABLE", message }
    }

    pub fn unsupported_media_type() -> Self {
        let message = "send the request as application/json".to_owned();
        Self { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, code: "UNSUPPORTED_MEDIA_TYPE", message }
    }

    pub fn payload_too_large() -> Self {
        let message = "the request is longer than 64 KiB".to_owned();
        Self { status: StatusCode::PAYLOAD_TOO_LARGE, code: "PAYLOAD_TOO_LARGE", message }
    }

    /// The same where no HTTP answer can be given.
    pub fn to_graphql(&self) -> GraphQlResponse {
        error_response(&self.message, self.code)
    }

    pub fn respond(self, media: ResponseMedia) -> Response<Body> {
        let body = json!({ "errors": [{ "message": self.message, "extensions": { "code": self.code } }] });
        let mut response = json_response(media, self.status, &body);
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        }
        response.extensions_mut().insert(LoggedOperation { codes: self.code.to_owned(), ..LoggedOperation::default() });
        response
    }
}

/// An answer in which nothing was run, in the words that Apollo's clients wait for.
pub(super) fn error_response(message: &str, code: &str) -> GraphQlResponse {
    let mut error = async_graphql::Error::new(message);
    error.extensions.get_or_insert_default().set("code", code);
    GraphQlResponse::from_errors(vec![without_location(error)])
}

/// The answer to one request, in at most `max_bytes`.
pub(super) fn single(media: ResponseMedia, response: &GraphQlResponse, max_bytes: usize) -> Response<Body> {
    let status = status(media, response);
    match to_json_within(&body(status, response), max_bytes) {
        Some(json) => with_status_headers(bytes_response(media, status, json), slice::from_ref(response)),
        None => {
            json_response(media, StatusCode::OK, &body(StatusCode::OK, &oversized_response(&response.data, max_bytes)))
        }
    }
}

/// The answer to an array of requests, in its order; its status is theirs if they agree. Those for which fewer than
/// `max_bytes` are left are replaced by errors.
pub(super) fn batch(media: ResponseMedia, responses: &[GraphQlResponse], max_bytes: usize) -> Response<Body> {
    let mut statuses: Vec<StatusCode> = responses.iter().map(|response| status(media, response)).collect();
    statuses.dedup();
    let status = if let [only] = statuses[..] { only } else { StatusCode::OK };
    let mut json = vec![b'['];
    for (index, response) in responses.iter().enumerate() {
        if index > 0 {
            json.push(b',');
        }
        let left = max_bytes.saturating_sub(json.len());
        json.extend(to_json_within(&body(status, response), left).unwrap_or_else(|| {
            let refusal = oversized_response(&response.data, max_bytes);
            serde_json::to_vec(&body(status, &refusal)).unwrap_or_default()
        }));
    }
    json.push(b']');
    with_status_headers(bytes_response(media, status, json), responses)
}

/// Old clients hide the body of any status but 200, so plain JSON has no other; the newer media type tells by the
/// status why a whole request came to nothing.
fn status(media: ResponseMedia, response: &GraphQlResponse) -> StatusCode {
    match common_error_code(response) {
        _ if media == ResponseMedia::Json => StatusCode::OK,
        Some("UNAUTHENTICATED") => StatusCode::UNAUTHORIZED,
        Some("FORBIDDEN") => StatusCode::FORBIDDEN,
        Some("TOO_MANY_ATTEMPTS" | "TOO_MANY_SUBSCRIPTIONS") => StatusCode::TOO_MANY_REQUESTS,
        Some("SERVER_BUSY" | "STORAGE_UNAVAILABLE") => StatusCode::SERVICE_UNAVAILABLE,
        Some("INTERNAL") => StatusCode::INTERNAL_SERVER_ERROR,
        Some(_) if is_not_executed(response) => StatusCode::BAD_REQUEST,
        Some(_) | None => StatusCode::OK,
    }
}

/// Whether the request was refused before anything of it ran.
fn is_not_executed(response: &GraphQlResponse) -> bool {
    !response.errors.is_empty() && response.errors.iter().all(|error| error.path.is_empty())
}

/// The code for which all of the request was refused, if it was: no field has a value, and all errors say the same.
fn common_error_code(response: &GraphQlResponse) -> Option<&str> {
    let is_empty = match &response.data {
        Data::Object(fields) => fields.values().all(|value| *value == Data::Null),
        data => *data == Data::Null,
    };
    let code = code(response.errors.first()?);
    (is_empty && response.errors.iter().all(|error| self::code(error) == code)).then_some(code)
}

fn code(error: &ServerError) -> &str {
    match error.extensions.as_ref().and_then(|extensions| extensions.get("code")) {
        Some(Data::String(code)) => code,
        _ => "",
    }
}

/// The members of an answer; its fields stand in the order of the query.
#[derive(Serialize)]
pub(in crate::http) struct ResponseBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Data>,
    #[serde(skip_serializing_if = "<[ServerError]>::is_empty")]
    errors: &'a [ServerError],
}

/// The members of the answer to an event, which has a status no more.
pub(in crate::http) fn event_body(response: &GraphQlResponse) -> ResponseBody<'_> {
    body(StatusCode::OK, response)
}

/// An answer with a status that says no has no data (GraphQL over HTTP section 6.4.2).
fn body(status: StatusCode, response: &GraphQlResponse) -> ResponseBody<'_> {
    let has_data = status == StatusCode::OK && !is_not_executed(response);
    ResponseBody { data: has_data.then_some(&response.data), errors: &response.errors }
}

/// Adds the header that a status needs: the challenge of a 401, which names no error when no credentials came (RFC 6750
/// section 3.1), or how long to wait.
fn with_status_headers(mut response: Response<Body>, responses: &[GraphQlResponse]) -> Response<Body> {
    let extension = |name: &str| {
        let errors = responses.iter().flat_map(|response| &response.errors);
        errors.filter_map(|error| error.extensions.as_ref()?.get(name).cloned()).next()
    };
    let header = match response.status() {
        StatusCode::UNAUTHORIZED => {
            let is_token_missing = extension("reason") == Some(Data::from("TOKEN_MISSING"));
            let challenge = if is_token_missing { "Bearer" } else { "Bearer error=\"invalid_token\"" };
            Some((WWW_AUTHENTICATE, HeaderValue::from_static(challenge)))
        }
        StatusCode::FORBIDDEN => {
            Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"insufficient_scope\"")))
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            let seconds = extension("retryAfter").and_then(|seconds| HeaderValue::from_str(&seconds.to_string()).ok());
            seconds.map(|seconds| (RETRY_AFTER, seconds))
        }
        _ => None,
    };
    response.headers_mut().extend(header);
    response
}

fn json_response(media: ResponseMedia, status: StatusCode, body: &impl Serialize) -> Response<Body> {
    bytes_response(media, status, serde_json::to_vec(body).unwrap_or_default())
}

fn bytes_response(media: ResponseMedia, status: StatusCode, json: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(json));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, media.content_type());
    response
}
