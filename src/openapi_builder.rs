//! Builders for the OpenAPI document (OpenAPI 3.1), shared by dialects, gateway and `http`.

use utoipa::openapi::path::{Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{
    ContentBuilder, HttpMethod, OpenApi, PathItem, Ref, RefOr, Required, Response, ResponseBuilder, Schema,
};

/// Name of the security scheme: an access token, sent as bearer token.
pub const BEARER_SCHEME: &str = "accessToken";

/// A path with one operation.
pub fn path_item(method: HttpMethod, operation: impl Into<Operation>) -> PathItem {
    PathItem::new(method, operation)
}

/// An operation with its tag, id and summary.
pub fn operation(tag: &str, id: impl Into<String>, summary: &str) -> OperationBuilder {
    OperationBuilder::new().tag(tag).operation_id(Some(id)).summary(Some(summary))
}

/// The requirement to send an access token.
pub fn bearer_auth() -> SecurityRequirement {
    SecurityRequirement::new(BEARER_SCHEME, [""; 0])
}

/// A string.
pub fn string(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(non_empty(description))
}

/// A boolean.
pub fn boolean(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Boolean).description(non_empty(description))
}

/// An integer.
pub fn integer(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer).description(non_empty(description))
}

/// An object; all `members` are required.
pub fn object<Member: Into<RefOr<Schema>>>(members: impl IntoIterator<Item = (&'static str, Member)>) -> ObjectBuilder {
    let empty = ObjectBuilder::new().schema_type(Type::Object);
    members.into_iter().fold(empty, |object, (name, member)| object.property(name, member).required(name))
}

/// A required query parameter.
pub fn query_parameter(name: &str, description: &str, schema: impl Into<RefOr<Schema>>) -> Parameter {
    parameter(ParameterIn::Query, Required::True, name, description, schema)
}

/// An optional query parameter.
pub fn optional_query_parameter(name: &str, description: &str, schema: impl Into<RefOr<Schema>>) -> Parameter {
    parameter(ParameterIn::Query, Required::False, name, description, schema)
}

/// A path parameter.
pub fn path_parameter(name: &str, description: &str, schema: impl Into<RefOr<Schema>>) -> Parameter {
    parameter(ParameterIn::Path, Required::True, name, description, schema)
}

/// A header parameter.
pub fn header_parameter(name: &str, required: Required, description: &str) -> Parameter {
    parameter(ParameterIn::Header, required, name, description, string(""))
}

fn parameter(
    location: ParameterIn,
    required: Required,
    name: &str,
    description: &str,
    schema: impl Into<RefOr<Schema>>,
) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(location)
        .required(required)
        .description(Some(description))
        .schema(Some(schema))
        .build()
}

/// A required JSON body.
pub fn json_body(schema: impl Into<RefOr<Schema>>) -> Option<RequestBody> {
    let content = ContentBuilder::new().schema(Some(schema)).build();
    Some(RequestBodyBuilder::new().required(Some(Required::True)).content("application/json", content).build())
}

/// A JSON response.
pub fn json_response(description: &str, schema: impl Into<RefOr<Schema>>) -> Response {
    response_of_type("application/json", description, schema)
}

/// A response of this media type.
pub fn response_of_type(media: &str, description: &str, schema: impl Into<RefOr<Schema>>) -> Response {
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new().description(description).content(media, content).build()
}

/// Error responses of a dialect.
pub struct ErrorResponses {
    /// Name of their schema in the document.
    pub schema: &'static str,
    /// Descriptions that replace the default ones, by status.
    pub descriptions: &'static [(u16, &'static str)],
}

impl ErrorResponses {
    fn description(&self, status: u16) -> &'static str {
        let specific = self.descriptions.iter().find(|(own_status, _)| *own_status == status);
        specific.map_or_else(|| default_description(status), |(_, text)| text)
    }
}

/// Description of a status unless the dialect has its own.
fn default_description(status: u16) -> &'static str {
    match status {
        413 => "The body is too large.",
        415 => "`Content-Type` is not JSON.",
        429 => "A rate limit is exceeded; `Retry-After` gives the seconds to wait.",
        503 => "The server is overloaded; `Retry-After` gives the seconds to wait.",
        _ => "Internal error.",
    }
}

/// Adds error responses to an operation.
pub trait WithErrorResponses {
    /// Adds a response for each of `statuses`, and 500, which every operation may return.
    fn error_responses(self, errors: &ErrorResponses, statuses: &[u16]) -> Self;
}

impl WithErrorResponses for OperationBuilder {
    fn error_responses(self, errors: &ErrorResponses, statuses: &[u16]) -> Self {
        statuses.iter().chain(&[500]).fold(self, |operation, status| {
            let response = json_response(errors.description(*status), Ref::from_schema_name(errors.schema));
            operation.response(status.to_string(), response)
        })
    }
}

/// Appends `suffix` to the id of each operation.
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
