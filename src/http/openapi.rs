//! The OpenAPI document of the REST routes. GraphQL has its own schema.

use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use utoipa::openapi::path::OperationBuilder;
use utoipa::openapi::schema::{Array, ComponentsBuilder, ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{HttpMethod, InfoBuilder, OpenApiBuilder, Paths, PathsBuilder};

use crate::config::Rest;
use crate::dialects;
use crate::openapi_builder::{BEARER_SCHEME, json_response, object, operation, path_item, response_of_type, string};

/// The document for the routes as `settings` mount them, as it is served and printed.
///
/// # Errors
/// When serialization to JSON fails, which would be a bug.
pub fn document(settings: &Rest) -> serde_json::Result<String> {
    let info = InfoBuilder::new()
        .title("accountd")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("The REST routes of an account server. `/graphql` offers more: see its schema."))
        .build();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    let components = ComponentsBuilder::new().security_scheme(BEARER_SCHEME, SecurityScheme::Http(bearer)).build();
    let mut document =
        OpenApiBuilder::new().info(info).paths(service_routes(settings)).components(Some(components)).build();
    for placed in dialects::describe(settings) {
        document.merge(placed.description);
    }
    document.to_pretty_json().map(|json| json + "\n")
}

pub(super) async fn serve(document: Bytes) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], document)
}

/// The routes for monitoring, token verification and gateways.
pub(super) fn service_routes(settings: &Rest) -> Paths {
    let service_operation = |id: &str, summary: &str| operation("Machines", id, summary);
    let get = |operation: OperationBuilder| path_item(HttpMethod::Get, operation);
    let status = || object([("status", string(""))]);
    let service_paths = PathsBuilder::new()
        .path(
            "/healthz",
            get(service_operation("healthz", "Liveness: the process runs.")
                .response("200", json_response("The process runs.", status()))),
        )
        .path(
            "/readyz",
            get(service_operation("readyz", "Readiness: the service can handle requests.")
                .response("200", json_response("The service is ready.", status()))
                .response(
                    "503",
                    response_of_type(
                        "application/problem+json",
                        "The database is unavailable or full, or the server stops.",
                        problem(),
                    ),
                )),
        )
        .path(
            "/.well-known/jwks.json",
            get(service_operation("jwks", "The public keys that verify access tokens (RFC 7517).")
                .response("200", json_response("The keys.", object([("keys", Array::new(key()))])))),
        )
        .path(
            "/openapi.json",
            get(service_operation("openapi", "This document.")
                .response("200", json_response("This document.", object([] as [(_, ObjectBuilder); 0])))),
        )
        .build();
    let mut paths = crate::gateway::describe(settings);
    paths.merge(service_paths);
    paths
}

fn problem() -> ObjectBuilder {
    object(["type", "title", "code", "detail"].map(|name| (name, string(""))))
        .property("status", ObjectBuilder::new().schema_type(Type::Integer))
        .required("status")
}

fn key() -> ObjectBuilder {
    object(["kty", "crv", "x", "kid", "alg", "use"].map(|name| (name, string(""))))
}
