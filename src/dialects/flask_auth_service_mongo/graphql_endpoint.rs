//! `/graphql`: the dialect's schema over HTTP, compatible with flask-graphql.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::header::ALLOW;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::authentication::{authenticate, authentication_error};
use super::mount_context::MountContext;
use super::schema::{ExecutionResult, Executor, OperationRequest};
use crate::account::caller::request_auth::RequestAuth;
use crate::app::App;
use crate::headers::content_type::media_type;
use crate::strict_json;

/// A malformed GraphQL request; nothing was executed.
type RequestError = (StatusCode, &'static str);

const NO_QUERY: RequestError = (StatusCode::BAD_REQUEST, "Must provide query string.");

/// Runs a query or mutation.
pub(super) async fn post(
    State(app): State<App>,
    Extension(auth): Extension<RequestAuth>,
    Extension(mount): Extension<MountContext>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Response {
    respond(&app, auth, &mount, &headers, read_body(&headers, bytes)).await
}

/// Query string of a GET.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct QueryString {
    query: Option<String>,
    variables: Option<String>,
    operation_name: Option<String>,
}

/// Runs a query; GET refuses mutations.
pub(super) async fn get(
    State(app): State<App>,
    Extension(auth): Extension<RequestAuth>,
    Extension(mount): Extension<MountContext>,
    headers: HeaderMap,
    parameters: Result<Query<QueryString>, QueryRejection>,
) -> Response {
    let request = match parameters {
        Ok(Query(QueryString { query, variables, operation_name })) => parse_variables(variables.map(Value::from))
            .and_then(|variables| {
                let query = query.filter(|query| !query.is_empty()).ok_or(NO_QUERY)?;
                Ok(OperationRequest { query, variables, operation_name, can_mutate: false, can_introspect: false })
            }),
        Err(_) => Err(NO_QUERY),
    };
    respond(&app, auth, &mount, &headers, request).await
}

/// Authenticates the caller before it validates the request.
async fn respond(
    app: &App,
    auth: RequestAuth,
    mount: &MountContext,
    headers: &HeaderMap,
    request: Result<OperationRequest, RequestError>,
) -> Response {
    let requester = match authenticate(app, auth, headers, mount).await {
        Ok(requester) => requester,
        Err(error) => return error.into_response(),
    };
    let can_introspect = app.config.graphql.schema_introspection.is_allowed_for(headers.keys().map(HeaderName::as_str));
    let request = match request {
        Ok(request) => OperationRequest { can_introspect, ..request },
        Err(error) => return error_response(error).into_response(),
    };
    let executor = mount.executor.get_or_init(|| Executor::new(&app.config.graphql));
    match executor.execute(app, requester.clone(), request).await {
        ExecutionResult::Response { is_executed: true, body } => Json(body).into_response(),
        ExecutionResult::Response { is_executed: false, body } => (StatusCode::BAD_REQUEST, Json(body)).into_response(),
        ExecutionResult::MutationNotAllowed => {
            let text = "Can only perform a mutation operation from a POST request.";
            ([(ALLOW, "POST")], error_response((StatusCode::METHOD_NOT_ALLOWED, text))).into_response()
        }
        ExecutionResult::Failed(error) => authentication_error(&error, &requester).into_response(),
    }
}

fn error_response((status, message): RequestError) -> impl IntoResponse {
    (status, Json(json!({ "errors": [{ "message": message }] })))
}

/// Reads a body: JSON, or the query itself as `application/graphql`.
fn read_body(headers: &HeaderMap, bytes: Result<Bytes, BytesRejection>) -> Result<OperationRequest, RequestError> {
    let unreadable = (StatusCode::BAD_REQUEST, "POST body sent invalid JSON.");
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return Err((StatusCode::PAYLOAD_TOO_LARGE, "The data value transmitted exceeds the capacity limit."));
        }
        Err(_) => return Err(unreadable),
    };
    match media_type(headers).as_str() {
        "application/json" => parse_body(strict_json::parse(&bytes).map_err(|_| unreadable)?),
        "application/graphql" => {
            let query = String::from_utf8(bytes.into()).ok().filter(|query| !query.is_empty()).ok_or(NO_QUERY)?;
            Ok(OperationRequest {
                query,
                variables: Map::new(),
                operation_name: None,
                can_mutate: true,
                can_introspect: false,
            })
        }
        // Pages of other origins can send forms and plain text without a CORS preflight.
        _ => Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, "send the request as application/json or application/graphql")),
    }
}

fn parse_body(body: Value) -> Result<OperationRequest, RequestError> {
    let mut members = match body {
        Value::Object(members) => members,
        Value::Array(_) => return Err((StatusCode::BAD_REQUEST, "Batch GraphQL requests are not enabled.")),
        _ => return Err((StatusCode::BAD_REQUEST, "GraphQL params should be a dict.")),
    };
    let variables = parse_variables(members.remove("variables"))?;
    let mut text = |name| match members.remove(name) {
        Some(Value::String(text)) => Ok(Some(text)),
        None | Some(Value::Null) => Ok(None),
        Some(_) => Err((StatusCode::BAD_REQUEST, "query and operationName are strings.")),
    };
    let (query, operation_name) = (text("query")?, text("operationName")?);
    let query = query.filter(|query| !query.is_empty()).ok_or(NO_QUERY)?;
    Ok(OperationRequest { query, variables, operation_name, can_mutate: true, can_introspect: false })
}

/// Variables are an object, or a string that contains one as JSON.
fn parse_variables(value: Option<Value>) -> Result<Map<String, Value>, RequestError> {
    let value = match value {
        Some(Value::String(text)) if text.is_empty() => Ok(Value::Null),
        Some(Value::String(text)) => strict_json::parse(text.as_bytes()),
        other => Ok(other.unwrap_or_default()),
    };
    match value {
        Ok(Value::Object(variables)) => Ok(variables),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(_) | Err(_) => Err((StatusCode::BAD_REQUEST, "Variables are invalid JSON.")),
    }
}
