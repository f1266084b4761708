//! Words to describe routes with in the OpenAPI document (OpenAPI 3.1); each dialect describes its own.

use utoipa::openapi::path::{Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{
    ContentBuilder, HttpMethod, OpenApi, PathItem, Ref, RefOr, Required, Response, ResponseBuilder, Schema,
};

/// The name of the security scheme: an access token as bearer token.
pub const BEARER_SCHEME: &str = "accessToken";

/// A route with one way to call it.
pub fn path_item(method: HttpMethod, operation: impl Into<Operation>) -> PathItem {
    PathItem::new(method, operation)
}

/// A way to call a route.
pub fn operation(tag: &str, id: impl Into<String>, summary: &str) -> OperationBuilder {
    OperationBuilder::new().tag(tag).operation_id(Some(id)).summary(Some(summary))
}

/// Callers send their access token.
pub fn bearer_auth() -> SecurityRequirement {
    SecurityRequirement::new(BEARER_SCHEME, [""; 0])
}

/// A text.
pub fn string(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(non_empty(description))
}

/// Yes or no.
pub fn boolean(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Boolean).description(non_empty(description))
}

/// A whole number.
pub fn integer(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer).description(non_empty(description))
}

/// An object that has all of these members.
pub fn object<Member: Into<RefOr<Schema>>>(members: impl IntoIterator<Item = (&'static str, Member)>) -> ObjectBuilder {
    let empty = ObjectBuilder::new().schema_type(Type::Object);
    members.into_iter().fold(empty, |object, (name, member)| object.property(name, member).required(name))
}

/// A member of the query string that has to be there.
pub fn query_parameter(name: &str, description: &str, schema: impl Into<RefOr<Schema>>) -> Parameter {
    parameter(ParameterIn::Query, Required::True, (name, description), schema)
}

/// A member of the query string that may be there.
pub fn optional_query_parameter(name: &str, description: &str, schema: impl Into<RefOr<Schema>>) -> Parameter {
    parameter(ParameterIn::Query, Required::False, (name, description), schema)
}

/// What stands for a part of the path.
pub fn path_parameter(name: &str, description: &str, schema: impl Into<RefOr<Schema>>) -> Parameter {
    parameter(ParameterIn::Path, Required::True, (name, description), schema)
}

/// A header, which has to be there or not.
pub fn header_parameter(name: &str, required: Required, description: &str) -> Parameter {
    parameter(ParameterIn::Header, required, (name, description), string(""))
}

fn parameter(
    place: ParameterIn,
    required: Required,
    (name, description): (&str, &str),
    schema: impl Into<RefOr<Schema>>,
) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .description(Some(description))
        .schema(Some(schema))
        .build()
}

/// A JSON body that has to be there.
pub fn json_body(schema: impl Into<RefOr<Schema>>) -> Option<RequestBody> {
    let content = ContentBuilder::new().schema(Some(schema)).build();
    Some(RequestBodyBuilder::new().required(Some(Required::True)).content("application/json", content).build())
}

/// An answer in JSON.
pub fn json_response(description: &str, schema: impl Into<RefOr<Schema>>) -> Response {
    response_of_type("application/json", description, schema)
}

/// An answer of this media type.
pub fn response_of_type(media: &str, description: &str, schema: impl Into<RefOr<Schema>>) -> Response {
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new().description(description).content(media, content).build()
}

/// The failures of a dialect.
pub struct ErrorResponses {
    /// The name of their form in the document.
    pub schema: &'static str,
    /// What statuses mean that every dialect has a meaning of its own for.
    pub descriptions: &'static [(u16, &'static str)],
}

impl ErrorResponses {
    fn description(&self, status: u16) -> &'static str {
        let own = self.descriptions.iter().find(|(known, _)| *known == status);
        own.map_or_else(|| default_description(status), |(_, meaning)| meaning)
    }
}

/// What statuses mean everywhere.
fn default_description(status: u16) -> &'static str {
    match status {
        413 => "The body is too long.",
        415 => "The body is not said to be JSON.",
        429 => "It was tried too often; `Retry-After` says how many seconds to wait.",
        503 => "There is more to do than can be done; `Retry-After` says how many seconds to wait.",
        _ => "The server is at fault.",
    }
}

/// An operation that can fail.
pub trait WithErrorResponses {
    /// The statuses that it fails with; any may fail with 500.
    fn error_responses(self, failures: &ErrorResponses, statuses: &[u16]) -> Self;
}

impl WithErrorResponses for OperationBuilder {
    fn error_responses(self, failures: &ErrorResponses, statuses: &[u16]) -> Self {
        statuses.iter().chain(&[500]).fold(self, |operation, status| {
            let answer = json_response(failures.description(*status), Ref::from_schema_name(failures.schema));
            operation.response(status.to_string(), answer)
        })
    }
}

/// Adds `suffix` to the name of each operation.
pub(crate) fn append_to_operation_ids(document: &mut OpenApi, suffix: &str) {
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for id in operations.into_iter().flatten().filter_map(|operation| operation.operation_id.as_mut()) {
            id.push_str(suffix);
        }
    }
}

fn non_empty(description: &str) -> Option<&str> {
    Some(description).filter(|text| !text.is_empty())
}
