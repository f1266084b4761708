//! OpenAPI description of the dialect; the operations of `/graphql` are in its GraphQL schema.

use utoipa::openapi::path::OperationBuilder;
use utoipa::openapi::schema::{AdditionalProperties, Array, ComponentsBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{HttpMethod, OpenApi, OpenApiBuilder, PathsBuilder, Ref, Schema};

use crate::config::Mount;
use crate::openapi_builder::{
    ErrorResponses, WithErrorResponses, bearer_auth, boolean, integer, json_body, json_response, object, operation,
    optional_query_parameter, path_item, query_parameter, string,
};

/// Error responses.
const ERRORS: ErrorResponses = ErrorResponses {
    schema: "AuthServiceFailure",
    descriptions: &[
        (400, "The request is malformed, or the credentials are wrong."),
        (401, "The access token is invalid, or its owner has another role or must change the password first."),
    ],
};

/// Name of the GraphQL response's schema in the document.
const GRAPHQL_RESPONSE: &str = "AuthServiceAnswer";

/// The routes at this mount.
pub(in crate::dialects) fn describe(mount: &Mount) -> OpenApi {
    let mut graphql = path_item(HttpMethod::Get, query());
    graphql.merge_operations(path_item(HttpMethod::Post, mutation()));
    let paths = PathsBuilder::new()
        .path(mount.join("/login"), path_item(HttpMethod::Post, login(mount.role.as_deref())))
        .path(mount.join("/logout"), path_item(HttpMethod::Post, logout()))
        .path(mount.join("/graphql"), graphql);
    let error = object([("message", string("Error text of the old service."))]);
    let components =
        ComponentsBuilder::new().schema(ERRORS.schema, error).schema(GRAPHQL_RESPONSE, graphql_response_schema());
    OpenApiBuilder::new().paths(paths.build()).components(Some(components.build())).build()
}

fn login(role: Option<&str>) -> OperationBuilder {
    let who = role.map_or_else(String::new, |role| format!(" Only for users with the role {role}."));
    let credentials = object([
        ("username", string("The username or e-mail address; case is ignored.")),
        ("password", string("The password.")),
    ])
    .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)));
    let role = ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .description(Some("The user's role."));
    let data = object([
        ("access_token", string("Short-lived access token: send it as `Authorization: Bearer <token>`.")),
        ("token_type", string("`Bearer`.")),
        ("refresh_token", string("Pass it to the mutation `refresh_token` to get the next token pair.")),
        ("change_password", boolean("Whether the user must set a new password first.")),
        ("role", role),
    ])
    .property("expires_in", integer("Lifetime of the access token in minutes."))
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
        .response("200", json_response("The session has ended.", object([("message", string(""))])))
        .error_responses(&ERRORS, &[401])
}

fn query() -> OperationBuilder {
    let optional = |name, description| optional_query_parameter(name, description, string(""));
    dialect_operation("query", "Runs a GraphQL query.")
        .security(bearer_auth())
        .parameter(query_parameter("query", "The query.", string("")))
        .parameter(optional("variables", "Its variables, as a JSON object."))
        .parameter(optional("operationName", "Name of the operation, if there are several."))
        .graphql_responses()
        .response("405", json_response("Mutations require POST.", Ref::from_schema_name(GRAPHQL_RESPONSE)))
}

fn mutation() -> OperationBuilder {
    let request = object([("query", string("The GraphQL document."))])
        .property("variables", ObjectBuilder::new().schema_type(Type::Object).description(Some("Its variables.")))
        .property("operationName", string("Name of the operation, if there are several."));
    dialect_operation("graphql", "Runs a GraphQL query or mutation.")
        .security(bearer_auth())
        .request_body(json_body(request))
        .graphql_responses()
        .response("413", json_response("The body is too large.", Ref::from_schema_name(GRAPHQL_RESPONSE)))
        .response(
            "415",
            json_response("`Content-Type` is neither JSON nor GraphQL.", Ref::from_schema_name(GRAPHQL_RESPONSE)),
        )
}

fn dialect_operation(name: &str, summary: &str) -> OperationBuilder {
    operation("flask_auth_service_mongo", format!("authService.{name}"), summary)
}

/// A GraphQL response.
fn graphql_response_schema() -> ObjectBuilder {
    let data = ObjectBuilder::new().schema_type(Type::Object).description(Some("Result of the operation."));
    let errors = Array::new(object([("message", string("Error message."))]));
    ObjectBuilder::new().schema_type(Type::Object).property("data", data).property("errors", errors)
}

trait WithGraphqlResponses {
    /// Adds the responses of a GraphQL operation.
    fn graphql_responses(self) -> Self;
}

impl WithGraphqlResponses for OperationBuilder {
    fn graphql_responses(self) -> Self {
        self.response("200", json_response("Result of the operation.", Ref::from_schema_name(GRAPHQL_RESPONSE)))
            .response(
                "400",
                json_response(
                    "The operation is invalid in this schema, or exceeds a limit.",
                    Ref::from_schema_name(GRAPHQL_RESPONSE),
                ),
            )
            .error_responses(&ERRORS, &[401, 429, 503])
    }
}
