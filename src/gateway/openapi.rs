//! The routes for gateways, as the OpenAPI document shows them.

use utoipa::openapi::path::{OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{Array, ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, HttpMethod, Paths, PathsBuilder, Required, ResponseBuilder};

use crate::openapi_builder::{boolean, json_response, object, operation, path_item, string};

/// The routes; introspection only where it is mounted.
pub fn describe(with_introspection: bool) -> Paths {
    let paths = PathsBuilder::new().path("/.well-known/revocations", path_item(HttpMethod::Get, revocations()));
    let paths =
        if with_introspection { paths.path("/introspect", path_item(HttpMethod::Post, introspect())) } else { paths };
    paths.build()
}

const UNAVAILABLE: &str = "The database cannot be asked, or is busy: ask again after `Retry-After`.";

fn gateway_operation(id: &str, summary: &str) -> OperationBuilder {
    operation("Gateways", id, summary)
}

fn error_response(description: &str) -> utoipa::openapi::Response {
    json_response(description, object([("error", string("What is wrong, as a word."))]))
}

fn revocations() -> OperationBuilder {
    let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(10));
    let wait = ParameterBuilder::new()
        .name("wait")
        .parameter_in(ParameterIn::Query)
        .description(Some("With If-None-Match: how many seconds to wait for another list."))
        .schema(Some(seconds));
    let known = ParameterBuilder::new()
        .name("If-None-Match")
        .parameter_in(ParameterIn::Header)
        .description(Some("The ETag of the list that the caller has."))
        .schema(Some(string("")));
    // Without a schema: it is text, which the words for JSON do not describe.
    let list =
        ResponseBuilder::new().description("The list.").content("application/jwt", ContentBuilder::new().build());
    gateway_operation(
        "revocations",
        "What was revoked lately: a JWT of the type `revocations+jwt`, signed with the published keys.",
    )
    .parameter(wait.build())
    .parameter(known.build())
    .response("200", list.build())
    .response("304", ResponseBuilder::new().description("The caller has it.").build())
    .response("400", error_response("The request is wrong in itself."))
    .response("503", error_response(UNAVAILABLE))
}

fn introspect() -> OperationBuilder {
    let form = object([("token", string("The access token or API token."))]);
    let content = ContentBuilder::new().schema(Some(form)).build();
    let body = RequestBodyBuilder::new()
        .required(Some(Required::True))
        .content("application/x-www-form-urlencoded", content)
        .build();
    let names = || Array::new(string(""));
    let known = object([("active", boolean("Whether the token opens the API now."))])
        .property("sub", string("The user's id."))
        .property("username", string("The user's name."))
        .property("roles", names())
        .property("permissions", names());
    gateway_operation("introspect", "What a token is worth now (RFC 7662), for services that know the secret for it.")
        .request_body(Some(body))
        .response("200", json_response("What it is worth.", known))
        .response("400", error_response("The request is wrong in itself."))
        .response("401", error_response("The secret is wrong or missing."))
        .response("429", error_response("There were too many wrong secrets."))
        .response("503", error_response(UNAVAILABLE))
}
