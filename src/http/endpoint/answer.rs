//! The HTTP answer to GraphQL responses, and to what is no GraphQL request.

use async_graphql::Response as GraphQlResponse;
use axum::body::Body;
use axum::http::header::{ALLOW, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Response, StatusCode};
use serde_json::{Map, Value, json};

use crate::graphql::error::codes;
use crate::http::content::Media;
use crate::http::log::Operation;

/// What is no GraphQL request, so that nothing of it was run.
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Refusal {
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "BAD_REQUEST", message: message.into() }
    }

    pub fn mutation_by_get() -> Self {
        let message = "send mutations by POST".to_owned();
        Self { status: StatusCode::METHOD_NOT_ALLOWED, code: "METHOD_NOT_ALLOWED", message }
    }

    pub fn not_acceptable() -> Self {
        let message = "accept application/json or application/graphql-response+json".to_owned();
        Self { status: StatusCode::NOT_ACCEPTABLE, code: "NOT_ACCEPTABLE", message }
    }

    pub fn no_json() -> Self {
        let message = "send the request as application/json".to_owned();
        Self { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, code: "UNSUPPORTED_MEDIA_TYPE", message }
    }

    pub fn too_long() -> Self {
        let message = "the request is longer than 64 KiB".to_owned();
        Self { status: StatusCode::PAYLOAD_TOO_LARGE, code: "PAYLOAD_TOO_LARGE", message }
    }

    pub fn answer(self, media: Media) -> Response<Body> {
        let body = json!({ "errors": [{ "message": self.message, "extensions": { "code": self.code } }] });
        let mut response = written(media, self.status, &body);
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        }
        response.extensions_mut().insert(Operation { codes: self.code.to_owned(), ..Operation::default() });
        response
    }
}

/// The answer to one request.
pub(super) fn one(media: Media, response: &GraphQlResponse) -> Response<Body> {
    let status = status(media, response);
    challenged(written(media, status, &body(response)), [response])
}

/// The answer to an array of requests, in its order; its status is theirs if they agree.
pub(super) fn many(media: Media, responses: &[GraphQlResponse]) -> Response<Body> {
    let mut statuses: Vec<StatusCode> = responses.iter().map(|response| status(media, response)).collect();
    statuses.dedup();
    let status = if let [only] = statuses[..] { only } else { StatusCode::OK };
    let body = responses.iter().map(body).collect::<Vec<_>>().into();
    challenged(written(media, status, &body), responses)
}

/// Old clients hide the body of any status but 200, so plain JSON has no other; the newer media type tells request
/// errors by 400 and an operation that was refused for its token by 401.
fn status(media: Media, response: &GraphQlResponse) -> StatusCode {
    if media == Media::Json {
        return StatusCode::OK;
    }
    let has = |wanted: &str| codes(response).iter().any(|code| code == wanted);
    if never_ran(response) && has("INTERNAL") {
        StatusCode::INTERNAL_SERVER_ERROR
    } else if response.data == async_graphql::Value::Null && has("UNAUTHENTICATED") {
        StatusCode::UNAUTHORIZED
    } else if never_ran(response) {
        StatusCode::BAD_REQUEST
    } else {
        StatusCode::OK
    }
}

/// Whether the request was refused before anything of it ran.
fn never_ran(response: &GraphQlResponse) -> bool {
    let errors = &response.errors;
    response.data == async_graphql::Value::Null
        && !errors.is_empty()
        && errors.iter().all(|error| error.path.is_empty())
}

fn body(response: &GraphQlResponse) -> Value {
    let mut body = Map::new();
    if !never_ran(response) {
        body.insert("data".to_owned(), response.data.clone().into_json().unwrap_or_default());
    }
    if !response.errors.is_empty() {
        body.insert("errors".to_owned(), serde_json::to_value(&response.errors).unwrap_or_default());
    }
    body.into()
}

/// Adds the challenge that a 401 needs; it names no error when no credentials came (RFC 6750 section 3.1).
fn challenged<'a>(
    mut answer: Response<Body>,
    responses: impl IntoIterator<Item = &'a GraphQlResponse>,
) -> Response<Body> {
    if answer.status() == StatusCode::UNAUTHORIZED {
        let missing = responses.into_iter().flat_map(|response| &response.errors).any(|error| {
            error.extensions.as_ref().and_then(|extensions| extensions.get("reason"))
                == Some(&async_graphql::Value::from("TOKEN_MISSING"))
        });
        let challenge = if missing { "Bearer" } else { "Bearer error=\"invalid_token\"" };
        answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    answer
}

fn written(media: Media, status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, media.content_type());
    response
}
