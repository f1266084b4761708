//! Words to describe routes with in the OpenAPI document (OpenAPI 3.1); each dialect describes its own.

use utoipa::openapi::path::{Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{
    ContentBuilder, HttpMethod, OpenApi, PathItem, Ref, RefOr, Required, Response, ResponseBuilder, Schema,
};

/// The name of the security scheme: an access token as bearer token.
pub const BEARER: &str = "accessToken";

/// A route with one way to call it.
pub fn route(method: HttpMethod, operation: impl Into<Operation>) -> PathItem {
    PathItem::new(method, operation)
}

/// A way to call a route.
pub fn operation(tag: &str, id: impl Into<String>, summary: &str) -> OperationBuilder {
    OperationBuilder::new().tag(tag).operation_id(Some(id)).summary(Some(summary))
}

/// Callers send their access token.
pub fn with_token() -> SecurityRequirement {
    SecurityRequirement::new(BEARER, [""; 0])
}

/// A text.
pub fn text(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(some(description))
}

/// Yes or no.
pub fn flag(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Boolean).description(some(description))
}

/// A whole number.
pub fn number(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer).description(some(description))
}

/// An object that has all of these members.
pub fn object<Member: Into<RefOr<Schema>>>(members: impl IntoIterator<Item = (&'static str, Member)>) -> ObjectBuilder {
    let empty = ObjectBuilder::new().schema_type(Type::Object);
    members.into_iter().fold(empty, |object, (name, member)| object.property(name, member).required(name))
}

/// A member of the query string that has to be there.
pub fn in_query(name: &str, description: &str, schema: impl Into<RefOr<Schema>>) -> Parameter {
    parameter(ParameterIn::Query, Required::True, (name, description), schema)
}

/// A member of the query string that may be there.
pub fn in_query_if_at_all(name: &str, description: &str, schema: impl Into<RefOr<Schema>>) -> Parameter {
    parameter(ParameterIn::Query, Required::False, (name, description), schema)
}

/// What stands for a part of the path.
pub fn in_path(name: &str, description: &str, schema: impl Into<RefOr<Schema>>) -> Parameter {
    parameter(ParameterIn::Path, Required::True, (name, description), schema)
}

/// A header, which has to be there or not.
pub fn in_header(name: &str, required: Required, description: &str) -> Parameter {
    parameter(ParameterIn::Header, required, (name, description), text(""))
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
pub fn body(schema: impl Into<RefOr<Schema>>) -> Option<RequestBody> {
    let content = ContentBuilder::new().schema(Some(schema)).build();
    Some(RequestBodyBuilder::new().required(Some(Required::True)).content("application/json", content).build())
}

/// An answer in JSON.
pub fn answer(description: &str, schema: impl Into<RefOr<Schema>>) -> Response {
    answer_as("application/json", description, schema)
}

/// An answer of this media type.
pub fn answer_as(media: &str, description: &str, schema: impl Into<RefOr<Schema>>) -> Response {
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new().description(description).content(media, content).build()
}

/// The failures of a dialect.
pub struct Failures {
    /// The name of their form in the document.
    pub form: &'static str,
    /// What statuses mean that every dialect has a meaning of its own for.
    pub own: &'static [(u16, &'static str)],
}

impl Failures {
    fn meaning(&self, status: u16) -> &'static str {
        let own = self.own.iter().find(|(known, _)| *known == status);
        own.map_or_else(|| meaning(status), |(_, meaning)| meaning)
    }
}

/// What statuses mean everywhere.
fn meaning(status: u16) -> &'static str {
    match status {
        413 => "The body is too long.",
        415 => "The body is not said to be JSON.",
        429 => "It was tried too often; `Retry-After` says how many seconds to wait.",
        503 => "There is more to do than can be done; `Retry-After` says how many seconds to wait.",
        _ => "The server is at fault.",
    }
}

/// An operation that can fail.
pub trait Fails {
    /// The statuses that it fails with; any may fail with 500.
    fn fails(self, failures: &Failures, statuses: &[u16]) -> Self;
}

impl Fails for OperationBuilder {
    fn fails(self, failures: &Failures, statuses: &[u16]) -> Self {
        statuses.iter().chain(&[500]).fold(self, |operation, status| {
            let answer = answer(failures.meaning(*status), Ref::from_schema_name(failures.form));
            operation.response(status.to_string(), answer)
        })
    }
}

/// Adds `suffix` to the name of each operation.
pub(super) fn rename(document: &mut OpenApi, suffix: &str) {
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for id in operations.into_iter().flatten().filter_map(|operation| operation.operation_id.as_mut()) {
            id.push_str(suffix);
        }
    }
}

fn some(description: &str) -> Option<&str> {
    Some(description).filter(|text| !text.is_empty())
}
