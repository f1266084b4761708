//! `/graphql`: the dialect's schema, over HTTP as flask-graphql spoke it.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::header::{ALLOW, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Place;
use super::caller::{caller, refused};
use crate::account::requester::Visitor;
use crate::app::App;
use crate::graphql::auth_service::{Asked, Face, Outcome};
use crate::json;

/// What is no GraphQL request, so that nothing of it was run.
type Unfit = (StatusCode, &'static str);

const NO_QUERY: Unfit = (StatusCode::BAD_REQUEST, "Must provide query string.");

/// Queries and mutations.
pub(super) async fn post(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    Extension(place): Extension<Place>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Response {
    answer(&app, visitor, &place, &headers, read(&headers, bytes)).await
}

/// What a GET says.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct QueryString {
    query: Option<String>,
    variables: Option<String>,
    operation_name: Option<String>,
}

/// Queries alone.
pub(super) async fn get(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    Extension(place): Extension<Place>,
    headers: HeaderMap,
    parameters: Result<Query<QueryString>, QueryRejection>,
) -> Response {
    let asked = match parameters {
        Ok(Query(QueryString { query, variables, operation_name })) => variables_in(variables.map(Value::from))
            .and_then(|variables| {
                let query = query.filter(|query| !query.is_empty()).ok_or(NO_QUERY)?;
                Ok(Asked { query, variables, operation_name, may_mutate: false, may_introspect: false })
            }),
        Err(_) => Err(NO_QUERY),
    };
    answer(&app, visitor, &place, &headers, asked).await
}

/// The caller is looked at before what is asked.
async fn answer(
    app: &App,
    visitor: Visitor,
    place: &Place,
    headers: &HeaderMap,
    asked: Result<Asked, Unfit>,
) -> Response {
    let requester = match caller(app, visitor, headers, place).await {
        Ok(requester) => requester,
        Err(failure) => return failure.into_response(),
    };
    let may_introspect = app.config.graphql.introspection.is_open_to(headers.keys().map(HeaderName::as_str));
    let asked = match asked {
        Ok(asked) => Asked { may_introspect, ..asked },
        Err(unfit) => return said(unfit).into_response(),
    };
    let face = place.face.get_or_init(|| Face::new(&app.config.graphql));
    match face.run(app, requester.clone(), asked).await {
        Outcome::Answer { ran: true, body } => Json(body).into_response(),
        Outcome::Answer { ran: false, body } => (StatusCode::BAD_REQUEST, Json(body)).into_response(),
        Outcome::Mutation => {
            let text = "Can only perform a mutation operation from a POST request.";
            ([(ALLOW, "POST")], said((StatusCode::METHOD_NOT_ALLOWED, text))).into_response()
        }
        Outcome::Stopped(error) => refused(&error, &requester).into_response(),
    }
}

fn said((status, message): Unfit) -> impl IntoResponse {
    (status, Json(json!({ "errors": [{ "message": message }] })))
}

/// What a body asks: JSON, or the query itself.
fn read(headers: &HeaderMap, bytes: Result<Bytes, BytesRejection>) -> Result<Asked, Unfit> {
    let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let unreadable = (StatusCode::BAD_REQUEST, "POST body sent invalid JSON.");
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return Err((StatusCode::PAYLOAD_TOO_LARGE, "The data value transmitted exceeds the capacity limit."));
        }
        Err(_) => return Err(unreadable),
    };
    match media.as_str() {
        "application/json" => asked(json::read(&bytes).map_err(|_| unreadable)?),
        "application/graphql" => {
            let query = String::from_utf8(bytes.into()).ok().filter(|query| !query.is_empty()).ok_or(NO_QUERY)?;
            Ok(Asked { query, variables: Map::new(), operation_name: None, may_mutate: true, may_introspect: false })
        }
        // Forms and plain text are what pages of other origins can send without being asked.
        _ => Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, "send the request as application/json or application/graphql")),
    }
}

fn asked(body: Value) -> Result<Asked, Unfit> {
    let mut members = match body {
        Value::Object(members) => members,
        Value::Array(_) => return Err((StatusCode::BAD_REQUEST, "Batch GraphQL requests are not enabled.")),
        _ => return Err((StatusCode::BAD_REQUEST, "GraphQL params should be a dict.")),
    };
    let variables = variables_in(members.remove("variables"))?;
    let mut text = |name| match members.remove(name) {
        Some(Value::String(text)) => Ok(Some(text)),
        None | Some(Value::Null) => Ok(None),
        Some(_) => Err((StatusCode::BAD_REQUEST, "query and operationName are strings.")),
    };
    let (query, operation_name) = (text("query")?, text("operationName")?);
    let query = query.filter(|query| !query.is_empty()).ok_or(NO_QUERY)?;
    Ok(Asked { query, variables, operation_name, may_mutate: true, may_introspect: false })
}

/// Variables come as an object, or as one in a text.
fn variables_in(value: Option<Value>) -> Result<Map<String, Value>, Unfit> {
    let value = match value {
        Some(Value::String(text)) if text.is_empty() => Ok(Value::Null),
        Some(Value::String(text)) => json::read(text.as_bytes()),
        other => Ok(other.unwrap_or_default()),
    };
    match value {
        Ok(Value::Object(variables)) => Ok(variables),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(_) | Err(_) => Err((StatusCode::BAD_REQUEST, "Variables are invalid JSON.")),
    }
}
