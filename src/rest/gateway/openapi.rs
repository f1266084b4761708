//! The routes for gateways, as the OpenAPI document shows them.

use utoipa::openapi::path::{OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{Array, ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, HttpMethod, Paths, PathsBuilder, Required, ResponseBuilder};

use crate::rest::openapi::{answer, flag, object, operation, route, text};

/// The routes; introspection only where it is mounted.
pub fn describe(with_introspection: bool) -> Paths {
    let paths = PathsBuilder::new().path("/.well-known/revocations", route(HttpMethod::Get, revocations()));
    let paths =
        if with_introspection { paths.path("/introspect", route(HttpMethod::Post, introspect())) } else { paths };
    paths.build()
}

const AWAY: &str = "The database cannot be asked, or is busy: ask again after `Retry-After`.";

fn named(id: &str, summary: &str) -> OperationBuilder {
    operation("Gateways", id, summary)
}

fn failure(description: &str) -> utoipa::openapi::Response {
    answer(description, object([("error", text("What is wrong, as a word."))]))
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
        .schema(Some(text("")));
    // Without a schema: it is text, which the words for JSON do not describe.
    let list =
        ResponseBuilder::new().description("The list.").content("application/jwt", ContentBuilder::new().build());
    named(
        "revocations",
        "What was revoked lately: a JWT of the type `revocations+jwt`, signed with the published keys.",
    )
    .parameter(wait.build())
    .parameter(known.build())
    .response("200", list.build())
    .response("304", ResponseBuilder::new().description("The caller has it.").build())
    .response("400", failure("The request is wrong in itself."))
    .response("503", failure(AWAY))
}

fn introspect() -> OperationBuilder {
    let form = object([("token", text("The access token or API token."))]);
    let content = ContentBuilder::new().schema(Some(form)).build();
    let body = RequestBodyBuilder::new()
        .required(Some(Required::True))
        .content("application/x-www-form-urlencoded", content)
        .build();
    let names = || Array::new(text(""));
    let known = object([("active", flag("Whether the token opens the API now."))])
        .property("sub", text("The user's id."))
        .property("username", text("The user's name."))
        .property("roles", names())
        .property("permissions", names());
    named("introspect", "What a token is worth now (RFC 7662), for services that know the secret for it.")
        .request_body(Some(body))
        .response("200", answer("What it is worth.", known))
        .response("400", failure("The request is wrong in itself."))
        .response("401", failure("The secret is wrong or missing."))
        .response("429", failure("There were too many wrong secrets."))
        .response("503", failure(AWAY))
}
