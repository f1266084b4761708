//! The dialect's routes, for the OpenAPI document; what can be asked at `/graphql` stands in its schema.

use utoipa::openapi::path::OperationBuilder;
use utoipa::openapi::schema::{AdditionalProperties, Array, ComponentsBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{HttpMethod, OpenApi, OpenApiBuilder, PathsBuilder, Ref, Schema};

use crate::config::Mount;
use crate::openapi_builder::{
    ErrorResponses, WithErrorResponses, bearer_auth, boolean, integer, json_body, json_response, object, operation,
    optional_query_parameter, path_item, query_parameter, string,
};

/// What operations fail with.
const ERRORS: ErrorResponses = ErrorResponses {
    schema: "AuthServiceFailure",
    descriptions: &[
        (400, "The request is not as it has to be, or the credentials do not hold."),
        (401, "The access token does not hold, or its owner has another role or has to choose a new password first."),
    ],
};

/// The name of an answer of GraphQL in the document.
const GRAPHQL_RESPONSE: &str = "AuthServiceAnswer";

/// The routes.
pub(in crate::dialects) fn describe(mount: &Mount) -> OpenApi {
    let mut graphql = path_item(HttpMethod::Get, query());
    graphql.merge_operations(path_item(HttpMethod::Post, mutation()));
    let paths = PathsBuilder::new()
        .path(mount.join("/login"), path_item(HttpMethod::Post, login(mount.role.as_deref())))
        .path(mount.join("/logout"), path_item(HttpMethod::Post, logout()))
        .path(mount.join("/graphql"), graphql);
    let failure = object([("message", string("What is wrong, in the old service's words."))]);
    let components =
        ComponentsBuilder::new().schema(ERRORS.schema, failure).schema(GRAPHQL_RESPONSE, graphql_response_schema());
    OpenApiBuilder::new().paths(paths.build()).components(Some(components.build())).build()
}

fn login(role: Option<&str>) -> OperationBuilder {
    let who = role.map_or_else(String::new, |role| format!(" Only holders of the role {role} may."));
    let credentials =
        object([("username", string("The name, in any spelling.")), ("password", string("The password."))])
            .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)));
    let role = ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .description(Some("The user's role."));
    let data = object([
        ("access_token", string("Opens the API for a short time: send it as `Authorization: Bearer <token>`.")),
        ("token_type", string("`Bearer`.")),
        ("refresh_token", string("Gets the next pair, by the mutation `refresh_token`.")),
        ("change_password", boolean("Whether a new password has to be chosen first.")),
        ("role", role),
    ])
    .property("expires_in", integer("Minutes."))
    .required("expires_in");
    let session = object([("message", string(""))]).property("data", data).required("data");
    dialect_operation("login", &format!("Signs in.{who}"))
        .request_body(json_body(credentials))
        .response("200", json_response("A session.", session))
        .error_responses(&ERRORS, &[400, 413, 415, 429, 503])
}

fn logout() -> OperationBuilder {
    dialect_operation("logout", "Ends the session of the access token.")
        .security(bearer_auth())
        .response("200", json_response("It is over.", object([("message", string(""))])))
        .error_responses(&ERRORS, &[401])
}

fn query() -> OperationBuilder {
    let optional = |name, description| optional_query_parameter(name, description, string(""));
    dialect_operation("query", "Runs a GraphQL query.")
        .security(bearer_auth())
        .parameter(query_parameter("query", "The query.", string("")))
        .parameter(optional("variables", "The values of its variables, as a JSON object."))
        .parameter(optional("operationName", "Which operation, if there are several."))
        .graphql_responses()
        .response("405", json_response("A mutation is sent by POST.", Ref::from_schema_name(GRAPHQL_RESPONSE)))
}

fn mutation() -> OperationBuilder {
    let request = object([("query", string("The operations."))])
        .property("variables", ObjectBuilder::new().schema_type(Type::Object).description(Some("Their variables.")))
        .property("operationName", string("Which operation, if there are several."));
    dialect_operation("graphql", "Runs a GraphQL query or mutation.")
        .security(bearer_auth())
        .request_body(json_body(request))
        .graphql_responses()
        .response("413", json_response("The body is too long.", Ref::from_schema_name(GRAPHQL_RESPONSE)))
        .response(
            "415",
            json_response("The body is not said to be JSON or GraphQL.", Ref::from_schema_name(GRAPHQL_RESPONSE)),
        )
}

fn dialect_operation(name: &str, summary: &str) -> OperationBuilder {
    operation("flask_auth_service_mongo", format!("authService.{name}"), summary)
}

/// What GraphQL answers with.
fn graphql_response_schema() -> ObjectBuilder {
    let data = ObjectBuilder::new().schema_type(Type::Object).description(Some("What was asked for."));
    let errors = Array::new(object([("message", string("What is wrong."))]));
    ObjectBuilder::new().schema_type(Type::Object).property("data", data).property("errors", errors)
}

trait WithGraphqlResponses {
    /// What can come of a GraphQL operation.
    fn graphql_responses(self) -> Self;
}

impl WithGraphqlResponses for OperationBuilder {
    fn graphql_responses(self) -> Self {
        self.response("200", json_response("What came of it.", Ref::from_schema_name(GRAPHQL_RESPONSE)))
            .response(
                "400",
                json_response(
                    "It is no operation of this schema, or beyond the limits.",
                    Ref::from_schema_name(GRAPHQL_RESPONSE),
                ),
            )
            .error_responses(&ERRORS, &[401, 429, 503])
    }
}
