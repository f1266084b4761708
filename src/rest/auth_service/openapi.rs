//! The dialect's routes, for the OpenAPI document; what can be asked at `/graphql` stands in its schema.

use utoipa::openapi::path::OperationBuilder;
use utoipa::openapi::schema::{AdditionalProperties, Array, ComponentsBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{HttpMethod, OpenApi, OpenApiBuilder, PathsBuilder, Ref, Schema};

use crate::config::Mount;
use crate::rest::openapi::{
    Fails, Failures, answer, body, flag, in_query, in_query_if_at_all, number, object, operation, route, text,
    with_token,
};

/// What operations fail with.
const FAILURES: Failures = Failures {
    form: "AuthServiceFailure",
    own: &[
        (400, "The request is not as it has to be, or the credentials do not hold."),
        (401, "The access token does not hold, or its owner has another role or has to choose a new password first."),
    ],
};

/// The name of an answer of GraphQL in the document.
const ANSWER: &str = "AuthServiceAnswer";

/// The routes.
pub(in crate::rest) fn describe(mount: &Mount) -> OpenApi {
    let mut graphql = route(HttpMethod::Get, query());
    graphql.merge_operations(route(HttpMethod::Post, mutation()));
    let paths = PathsBuilder::new()
        .path(mount.under("/login"), route(HttpMethod::Post, login(mount.role.as_deref())))
        .path(mount.under("/logout"), route(HttpMethod::Post, logout()))
        .path(mount.under("/graphql"), graphql);
    let failure = object([("message", text("What is wrong, in the old service's words."))]);
    let components = ComponentsBuilder::new().schema(FAILURES.form, failure).schema(ANSWER, outcome());
    OpenApiBuilder::new().paths(paths.build()).components(Some(components.build())).build()
}

fn login(role: Option<&str>) -> OperationBuilder {
    let who = role.map_or_else(String::new, |role| format!(" Only holders of the role {role} may."));
    let credentials = object([("username", text("The name, in any spelling.")), ("password", text("The password."))])
        .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)));
    let role = ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .description(Some("The user's role."));
    let data = object([
        ("access_token", text("Opens the API for a short time: send it as `Authorization: Bearer <token>`.")),
        ("token_type", text("`Bearer`.")),
        ("refresh_token", text("Gets the next pair, by the mutation `refresh_token`.")),
        ("change_password", flag("Whether a new password has to be chosen first.")),
        ("role", role),
    ])
    .property("expires_in", number("Minutes."))
    .required("expires_in");
    let session = object([("message", text(""))]).property("data", data).required("data");
    named("login", &format!("Signs in.{who}"))
        .request_body(body(credentials))
        .response("200", answer("A session.", session))
        .fails(&FAILURES, &[400, 413, 415, 429, 503])
}

fn logout() -> OperationBuilder {
    named("logout", "Ends the session of the access token.")
        .security(with_token())
        .response("200", answer("It is over.", object([("message", text(""))])))
        .fails(&FAILURES, &[401])
}

fn query() -> OperationBuilder {
    let optional = |name, description| in_query_if_at_all(name, description, text(""));
    named("query", "Runs a GraphQL query.")
        .security(with_token())
        .parameter(in_query("query", "The query.", text("")))
        .parameter(optional("variables", "The values of its variables, as a JSON object."))
        .parameter(optional("operationName", "Which operation, if there are several."))
        .runs()
        .response("405", answer("A mutation is sent by POST.", Ref::from_schema_name(ANSWER)))
}

fn mutation() -> OperationBuilder {
    let request = object([("query", text("The operations."))])
        .property("variables", ObjectBuilder::new().schema_type(Type::Object).description(Some("Their variables.")))
        .property("operationName", text("Which operation, if there are several."));
    named("graphql", "Runs a GraphQL query or mutation.")
        .security(with_token())
        .request_body(body(request))
        .runs()
        .response("413", answer("The body is too long.", Ref::from_schema_name(ANSWER)))
        .response("415", answer("The body is not said to be JSON or GraphQL.", Ref::from_schema_name(ANSWER)))
}

fn named(name: &str, summary: &str) -> OperationBuilder {
    operation("flask_auth_service_mongo", format!("authService.{name}"), summary)
}

/// What GraphQL answers with.
fn outcome() -> ObjectBuilder {
    let data = ObjectBuilder::new().schema_type(Type::Object).description(Some("What was asked for."));
    let errors = Array::new(object([("message", text("What is wrong."))]));
    ObjectBuilder::new().schema_type(Type::Object).property("data", data).property("errors", errors)
}

trait Runs {
    /// What can come of a GraphQL operation.
    fn runs(self) -> Self;
}

impl Runs for OperationBuilder {
    fn runs(self) -> Self {
        self.response("200", answer("What came of it.", Ref::from_schema_name(ANSWER)))
            .response(
                "400",
                answer("It is no operation of this schema, or beyond the limits.", Ref::from_schema_name(ANSWER)),
            )
            .fails(&FAILURES, &[401, 429, 503])
    }
}
