//! OpenAPI description of the gateway endpoints.

use utoipa::openapi::path::{OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{Array, ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, HttpMethod, Paths, PathsBuilder, Required, ResponseBuilder};

use crate::config::Rest;
use crate::openapi_builder::{boolean, json_response, object, operation, path_item, string};

/// The paths; `/introspect` only if a secret for it is set.
pub fn describe(settings: &Rest) -> Paths {
    let paths = PathsBuilder::new().path("/.well-known/revocations", path_item(HttpMethod::Get, revocations()));
    match settings.token_introspection_secret {
        Some(_) => paths.path("/introspect", path_item(HttpMethod::Post, introspect())).build(),
        None => paths.build(),
    }
}

const UNAVAILABLE: &str = "The database is unavailable or overloaded: retry after `Retry-After` seconds.";

fn gateway_operation(id: &str, summary: &str) -> OperationBuilder {
    operation("Gateways", id, summary)
}

fn error_response(description: &str) -> utoipa::openapi::Response {
    json_response(description, object([("error", string("Error code."))]))
}

fn revocations() -> OperationBuilder {
    let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(10));
    let wait = ParameterBuilder::new()
        .name("wait")
        .parameter_in(ParameterIn::Query)
        .description(Some("With If-None-Match: seconds to wait for a newer list."))
        .schema(Some(seconds));
    let known = ParameterBuilder::new()
        .name("If-None-Match")
        .parameter_in(ParameterIn::Header)
        .description(Some("ETag of the list that the client has."))
        .schema(Some(string("")));
    // No schema: the body is a JWT, not JSON.
    let list =
        ResponseBuilder::new().description("The list.").content("application/jwt", ContentBuilder::new().build());
    gateway_operation(
        "revocations",
        "Recent revocations: a JWT of type `revocations+jwt`, signed with the published keys.",
    )
    .parameter(wait.build())
    .parameter(known.build())
    .response("200", list.build())
    .response("304", ResponseBuilder::new().description("The client's list is current.").build())
    .response("400", error_response("The request is malformed."))
    .response("503", error_response(UNAVAILABLE))
}

fn introspect() -> OperationBuilder {
    let form = object([("token", string("Access token or API token."))]);
    let content = ContentBuilder::new().schema(Some(form)).build();
    let body = RequestBodyBuilder::new()
        .required(Some(Required::True))
        .content("application/x-www-form-urlencoded", content)
        .build();
    let names = || Array::new(string(""));
    let known = object([("active", boolean("Whether the token is valid now."))])
        .property("sub", string("The user's id."))
        .property("username", string("The user's name."))
        .property("roles", names())
        .property("permissions", names());
    gateway_operation("introspect", "Token introspection (RFC 7662), for services that have the introspection secret.")
        .request_body(Some(body))
        .response("200", json_response("State of the token.", known))
        .response("400", error_response("The request is malformed."))
        .response("401", error_response("The secret is wrong or missing."))
        .response("429", error_response("Too many wrong secrets."))
        .response("503", error_response(UNAVAILABLE))
}
