//! `/graphql`: GraphQL over HTTP, by the GraphQL-over-HTTP working draft and by what Apollo clients need.
//!
//! The library's own integration runs mutations by GET and from forms, reads bodies of any size and always answers
//! one media type with 200; this one does not.

use async_graphql::parser::types::{DocumentOperations, OperationDefinition, OperationType};
use async_graphql::{Request, Response as GraphQlResponse, Variables};
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{Query, State};
use axum::http::header::{ALLOW, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::content::{Media, is_json};
use super::log::Operation;
use super::playground;
use crate::account::requester::Visitor;
use crate::app::App;
use crate::graphql::error::{codes, polish};
use crate::graphql::{self, AccountSchema};

/// Longest operation name that is logged, in bytes.
const MAX_LOGGED_NAME: usize = 100;

/// The members of a request (GraphQL over HTTP section 5.1); others are left alone.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<Map<String, Value>>,
    extensions: Option<Map<String, Value>>,
}

/// The same by GET, where two of them are JSON in text.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct QueryString {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
}

/// Queries and mutations.
pub(super) async fn post(
    State(app): State<App>,
    Extension(schema): Extension<AccountSchema>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response<Body> {
    let Some(media) = Media::accepted(&headers) else { return not_acceptable() };
    if !is_json(&headers) {
        let message = "send the request as application/json";
        return refusal(media, StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message);
    }
    let body = match body {
        Ok(body) => body,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            let message = "the request is longer than 64 KiB";
            return refusal(media, StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", message);
        }
        Err(_) => return bad_request(media, "the request's body could not be read"),
    };
    match serde_json::from_slice(&body) {
        Ok(parameters) => run(&app, &schema, visitor, media, parameters, true).await,
        Err(error) if error.is_data() => {
            bad_request(media, "query and operationName are texts, variables is an object")
        }
        Err(_) => bad_request(media, "the request's body is not JSON"),
    }
}

/// Queries alone, and the playground for browsers.
pub(super) async fn get(
    State(app): State<App>,
    Extension(schema): Extension<AccountSchema>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    parameters: Result<Query<QueryString>, axum::extract::rejection::QueryRejection>,
) -> Response<Body> {
    let Ok(Query(parameters)) = parameters else {
        return bad_request(Media::Json, "the query string could not be read");
    };
    if parameters.query.is_none() && app.config.graphql.introspection && playground::is_wanted(&headers) {
        return playground::page();
    }
    let Some(media) = Media::accepted(&headers) else { return not_acceptable() };
    let object =
        |text: Option<String>| text.filter(|text| !text.is_empty()).map(|text| serde_json::from_str(&text)).transpose();
    let (Ok(variables), Ok(extensions)) = (object(parameters.variables), object(parameters.extensions)) else {
        return bad_request(media, "variables and extensions are JSON objects");
    };
    let QueryString { query, operation_name, .. } = parameters;
    run(&app, &schema, visitor, media, Parameters { query, operation_name, variables, extensions }, false).await
}

async fn run(
    app: &App,
    schema: &AccountSchema,
    visitor: Visitor,
    media: Media,
    parameters: Parameters,
    may_mutate: bool,
) -> Response<Body> {
    let Some(query) = parameters.query.filter(|query| !query.trim().is_empty()) else {
        return bad_request(media, "the request has no query");
    };
    let mut request = Request::new(query);
    request.operation_name = parameters.operation_name.filter(|name| !name.is_empty());
    request.variables = Variables::from_json(Value::Object(parameters.variables.unwrap_or_default()));
    // Extensions ask for protocols that are not spoken here; clients that name themselves in them are welcome.
    drop(parameters.extensions);

    let bounded = graphql::limits::check(&mut request, &app.config.graphql.limits);
    let operation = if bounded.is_ok() { described(&mut request) } else { Operation::default() };
    if operation.kind == "mutation" && !may_mutate {
        let mut response =
            refusal(media, StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "send mutations by POST");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        return response;
    }
    let request_id = visitor.client.request_id.clone();
    let mut response = match bounded {
        Ok(()) => match visitor.identify(app).await {
            Ok(requester) => schema.execute(graphql::data(request, app, requester)).await,
            Err(error) => failed(error),
        },
        Err(error) => failed(error),
    };
    polish(&mut response, &request_id);
    let operation = Operation { codes: codes(&response).join(","), ..operation };
    let mut answer = answer(media, &response);
    answer.extensions_mut().insert(operation);
    answer
}

/// An answer in which nothing was run.
fn failed(error: crate::error::Error) -> GraphQlResponse {
    let error = async_graphql::Error::from(graphql::error::Failure::from(error));
    GraphQlResponse::from_errors(vec![error.into_server_error(async_graphql::Pos::default())])
}

/// The operation that will run, as far as the log and the method check need it.
fn described(request: &mut Request) -> Operation {
    let wanted = request.operation_name.clone();
    let Ok(document) = request.parsed_query() else { return Operation::default() };
    let kind = |operation: &OperationDefinition| match operation.ty {
        OperationType::Query => "query",
        OperationType::Mutation => "mutation",
        OperationType::Subscription => "subscription",
    };
    let mut found = match &document.operations {
        DocumentOperations::Single(only) => {
            Operation { kind: kind(&only.node), name: wanted.unwrap_or_default(), ..Operation::default() }
        }
        DocumentOperations::Multiple(named) => named
            .iter()
            .find(|(name, _)| wanted.as_deref().is_none_or(|wanted| wanted == name.as_str()))
            .map(|(name, one)| Operation { kind: kind(&one.node), name: name.to_string(), ..Operation::default() })
            .unwrap_or_default(),
    };
    found.name.truncate(found.name.floor_char_boundary(MAX_LOGGED_NAME));
    found.name.retain(|character| character.is_ascii_alphanumeric() || character == '_');
    found
}

/// The HTTP answer to a GraphQL response. Old clients hide the body of any status but 200, so plain JSON has no other;
/// the newer media type tells request errors by 400 and an operation that was refused for its token by 401.
fn answer(media: Media, response: &GraphQlResponse) -> Response<Body> {
    let never_ran =
        response.data == async_graphql::Value::Null && response.errors.iter().all(|error| error.path.is_empty());
    let failed = never_ran && !response.errors.is_empty();
    let refused =
        response.data == async_graphql::Value::Null && codes(response).iter().any(|code| code == "UNAUTHENTICATED");
    let status = match media {
        Media::Json => StatusCode::OK,
        Media::GraphQl if codes(response).iter().any(|code| code == "INTERNAL") && failed => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
        Media::GraphQl if refused => StatusCode::UNAUTHORIZED,
        Media::GraphQl if failed => StatusCode::BAD_REQUEST,
        Media::GraphQl => StatusCode::OK,
    };
    let mut body = Map::new();
    if !failed {
        body.insert("data".to_owned(), response.data.clone().into_json().unwrap_or_default());
    }
    if !response.errors.is_empty() {
        body.insert("errors".to_owned(), serde_json::to_value(&response.errors).unwrap_or_default());
    }
    let mut answer = written(media, status, &body.into());
    if status == StatusCode::UNAUTHORIZED {
        // RFC 6750 section 3.1: no error attribute when no credentials came.
        let missing = response.errors.iter().any(|error| {
            error.extensions.as_ref().and_then(|extensions| extensions.get("reason"))
                == Some(&async_graphql::Value::from("TOKEN_MISSING"))
        });
        let challenge = if missing { "Bearer" } else { "Bearer error=\"invalid_token\"" };
        answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    answer
}

fn bad_request(media: Media, message: &str) -> Response<Body> {
    refusal(media, StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
}

fn not_acceptable() -> Response<Body> {
    let message = "accept application/json or application/graphql-response+json";
    refusal(Media::Json, StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", message)
}

/// The answer to what is no GraphQL request.
fn refusal(media: Media, status: StatusCode, code: &str, message: &str) -> Response<Body> {
    let body = json!({ "errors": [{ "message": message, "extensions": { "code": code } }] });
    let mut response = written(media, status, &body);
    response.extensions_mut().insert(Operation { codes: code.to_owned(), ..Operation::default() });
    response
}

fn written(media: Media, status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, media.content_type());
    response
}
