//! HTTP responses for GraphQL responses, and for requests that are not valid GraphQL over HTTP.

use std::slice;

use async_graphql::{Response as GraphQlResponse, ServerError, Value as Data};
use axum::body::Body;
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Response, StatusCode};
use serde::Serialize;
use serde_json::json;

use super::negotiation::ResponseMedia;
use crate::error::{Error, ErrorKind};
use crate::graphql::error::without_location;
use crate::graphql::limits::response::{oversized_response, to_json_within};
use crate::http::middleware::access_log::LoggedOperation;
use crate::http::problem_details::status_of;

/// A request that is not valid GraphQL over HTTP; nothing of it ran.
pub(super) struct RequestError {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl RequestError {
    /// 400, with a message that says what to send.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "BAD_REQUEST", message: message.into() }
    }

    /// 405, because GET is a safe method (RFC 9110 section 9.2.1).
    pub fn mutation_by_get() -> Self {
        let message = "send mutations by POST".to_owned();
        Self { status: StatusCode::METHOD_NOT_ALLOWED, code: "METHOD_NOT_ALLOWED", message }
    }

    /// 400 for a subscription in a batch, or from a client that accepts no event stream.
    pub fn subscription_needs_stream() -> Self {
        Self::bad_request(
            "send subscriptions over a WebSocket at this URL with the subprotocol graphql-transport-ws, or accept \
            text/event-stream for server-sent events",
        )
    }

    /// 403 for a WebSocket that an untrusted page opens.
    pub fn cross_site() -> Self {
        let message = "cross-site WebSocket refused: add the page's origin to the setting cors.origins; if it is the \
            server's own, have the proxy in front forward Host unchanged"
            .to_owned();
        let kind = ErrorKind::CrossSite;
        Self { status: status_of(kind), code: kind.code(), message }
    }

    /// 406.
    pub fn not_acceptable() -> Self {
        let message = "accept application/json or application/graphql-response+json; text/event-stream is for \
            subscriptions"
            .to_owned();
        Self { status: StatusCode::NOT_ACCEPTABLE, code: "NOT_ACCEPTABLE", message }
    }

    /// 415.
    pub fn unsupported_media_type() -> Self {
        let message = "send the request as application/json".to_owned();
        Self { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, code: "UNSUPPORTED_MEDIA_TYPE", message }
    }

    /// 413.
    pub fn payload_too_large() -> Self {
        let message = "the request is longer than 64 KiB".to_owned();
        Self { status: StatusCode::PAYLOAD_TOO_LARGE, code: "PAYLOAD_TOO_LARGE", message }
    }

    /// The error as a GraphQL response, where no HTTP response can be sent.
    pub fn to_graphql(&self) -> GraphQlResponse {
        error_response(&self.message, self.code)
    }

    /// The HTTP response.
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

/// An error response of a request that did not run, with a message that Apollo clients recognise.
pub(super) fn error_response(message: &str, code: &str) -> GraphQlResponse {
    let mut error = async_graphql::Error::new(message);
    error.extensions.get_or_insert_default().set("code", code);
    GraphQlResponse::from_errors(vec![without_location(error)])
}

/// The response to one request, at most `max_bytes` long.
pub(super) fn single(media: ResponseMedia, response: &GraphQlResponse, max_bytes: usize) -> Response<Body> {
    let status = status(media, response);
    match to_json_within(&body(status, response), max_bytes) {
        Some(json) => with_status_headers(bytes_response(media, status, json), slice::from_ref(response)),
        None => {
            json_response(media, StatusCode::OK, &body(StatusCode::OK, &oversized_response(&response.data, max_bytes)))
        }
    }
}

/// The response to a batch, in request order. Its status is that of its responses if they agree, else 200. A response
/// for which too little of `max_bytes` is left is replaced by an error.
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
            let error = oversized_response(&response.data, max_bytes);
            serde_json::to_vec(&body(status, &error)).unwrap_or_default()
        }));
    }
    json.push(b']');
    with_status_headers(bytes_response(media, status, json), responses)
}

/// Legacy clients hide the body unless the status is 200, so plain JSON always has 200. The newer media type states by
/// the status why the whole request failed, by the table of errors. Exceptions: errors of the request itself have no row
/// there, and those of [`is_answered_in_body`] have no status of their own.
fn status(media: ResponseMedia, response: &GraphQlResponse) -> StatusCode {
    if media == ResponseMedia::Json {
        return StatusCode::OK;
    }
    let Some(error) = common_error(response) else { return StatusCode::OK };
    match error.source::<Error>().map(Error::kind).filter(|kind| !is_answered_in_body(*kind)) {
        Some(kind) => status_of(kind),
        None if is_not_executed(response) => StatusCode::BAD_REQUEST,
        None => StatusCode::OK,
    }
}

/// Whether the error is in the body alone: the status states only whether the operation was executed.
fn is_answered_in_body(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::PasswordChangeRequired | ErrorKind::CrossSite) || kind.http_status() == 400
}

/// Whether the request was rejected before execution.
pub(super) fn is_not_executed(response: &GraphQlResponse) -> bool {
    !response.errors.is_empty() && response.errors.iter().all(|error| error.path.is_empty())
}

/// The first error of a request that failed as a whole: no field has a value, and all errors have the same code.
fn common_error(response: &GraphQlResponse) -> Option<&ServerError> {
    let is_empty = match &response.data {
        Data::Object(fields) => fields.values().all(|value| *value == Data::Null),
        data => *data == Data::Null,
    };
    let first = response.errors.first()?;
    (is_empty && response.errors.iter().all(|error| code(error) == code(first))).then_some(first)
}

fn code(error: &ServerError) -> &str {
    match error.extensions.as_ref().and_then(|extensions| extensions.get("code")) {
        Some(Data::String(code)) => code,
        _ => "",
    }
}

/// The body of a response; its fields keep the order of the query.
#[derive(Serialize)]
pub(super) struct ResponseBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Data>,
    #[serde(skip_serializing_if = "<[ServerError]>::is_empty")]
    errors: &'a [ServerError],
}

/// The body of an event, which has no HTTP status of its own.
pub(super) fn event_body(response: &GraphQlResponse) -> ResponseBody<'_> {
    body(StatusCode::OK, response)
}

/// A response with an error status has no `data` (GraphQL over HTTP section 6.4.2).
fn body(status: StatusCode, response: &GraphQlResponse) -> ResponseBody<'_> {
    let has_data = status == StatusCode::OK && !is_not_executed(response);
    ResponseBody { data: has_data.then_some(&response.data), errors: &response.errors }
}

/// Adds the header that the status requires: `WWW-Authenticate`, without an error if no credentials came (RFC 6750
/// section 3.1), or `Retry-After`.
fn with_status_headers(mut response: Response<Body>, responses: &[GraphQlResponse]) -> Response<Body> {
    let mut errors = responses.iter().flat_map(|response| &response.errors).filter_map(ServerError::source::<Error>);
    let header = match response.status() {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => errors
            .find_map(|error| error.kind().bearer_challenge())
            .map(|challenge| (WWW_AUTHENTICATE, HeaderValue::from_static(challenge))),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            errors.find_map(Error::retry_after).map(|seconds| (RETRY_AFTER, seconds.into()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::samples::{assert_statuses, one_error_of_each_kind};
    use crate::graphql::error::ResolverError;

    fn refused(error: Error) -> GraphQlResponse {
        GraphQlResponse::from_errors(vec![without_location(ResolverError::from(error))])
    }

    #[test]
    fn graphql_responds_by_the_table_except_for_errors_answered_in_the_body() {
        assert_statuses(
            |error| status(ResponseMedia::GraphQl, &refused(error)).as_u16(),
            &[(ErrorKind::PasswordChangeRequired, 400), (ErrorKind::CrossSite, 400)],
        );
        for error in one_error_of_each_kind() {
            let kind = error.kind();
            assert_eq!(status(ResponseMedia::Json, &refused(error)), StatusCode::OK, "{kind:?}");
        }
    }
}
