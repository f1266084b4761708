//! The dialect's routes, for the OpenAPI document.

use utoipa::openapi::path::{OperationBuilder, Parameter};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{ComponentsBuilder, ObjectBuilder, OneOfBuilder, SchemaType, Type};
use utoipa::openapi::{ContentBuilder, HttpMethod, OpenApi, OpenApiBuilder, PathsBuilder, Required};

use crate::config::Mount;
use crate::openapi_builder::{
    ErrorResponses, WithErrorResponses, bearer_auth, integer, json_response, object, operation, path_item,
    path_parameter, string,
};

/// What operations fail with.
const ERRORS: ErrorResponses = ErrorResponses {
    schema: "TecladocodeFailure",
    descriptions: &[
        (400, "The request is not as it has to be, or cannot be done."),
        (401, "The credentials do not hold."),
        (403, "The caller may not do this."),
        (404, "There is no such user, as far as the caller may know."),
    ],
};

/// The routes, in their place.
pub(in crate::dialects) fn describe(mount: &Mount) -> OpenApi {
    let mut users = path_item(HttpMethod::Get, show());
    users.merge_operations(path_item(HttpMethod::Delete, delete()));
    let paths = PathsBuilder::new()
        .path(mount.join("/register"), path_item(HttpMethod::Post, register()))
        .path(mount.join("/login"), path_item(HttpMethod::Post, login()))
        .path(mount.join("/refresh"), path_item(HttpMethod::Post, refresh()))
        .path(mount.join("/logout"), path_item(HttpMethod::Post, logout()))
        .path(mount.join("/user/{id}"), users);
    let components = ComponentsBuilder::new().schema(ERRORS.schema, error_schema());
    OpenApiBuilder::new().paths(paths.build()).components(Some(components.build())).build()
}

fn register() -> OperationBuilder {
    dialect_operation("register", "Makes an account, if registration is open.")
        .request_body(credentials_body())
        .response("201", json_response("The account is there.", message_schema()))
        .error_responses(&ERRORS, &[400, 403, 413, 429, 503])
}

fn login() -> OperationBuilder {
    let pair = object([
        ("access_token", string("Opens the API for a short time: send it as `Authorization: Bearer <token>`.")),
        ("refresh_token", string("Gets further access tokens, in the same header of `/refresh`.")),
    ]);
    dialect_operation("login", "Signs in.")
        .request_body(credentials_body())
        .response("200", json_response("A session.", pair))
        .error_responses(&ERRORS, &[400, 401, 413, 429, 503])
}

fn refresh() -> OperationBuilder {
    let next = object([("access_token", string("Another one; the refresh token stays."))]);
    dialect_operation("refresh", "Makes another access token for a refresh token.")
        .security(bearer_auth())
        .response("200", json_response("The access token.", next))
        .error_responses(&ERRORS, &[401])
}

fn logout() -> OperationBuilder {
    dialect_operation("logout", "Ends the session of the access token.")
        .security(bearer_auth())
        .response("200", json_response("It is over.", message_schema()))
        .error_responses(&ERRORS, &[401])
}

fn show() -> OperationBuilder {
    let user = object([("id", integer("The number of the account.")), ("username", string("Its name."))]);
    dialect_operation("showUser", "Shows an account to its owner or an administrator.")
        .security(bearer_auth())
        .parameter(id_parameter())
        .response("200", json_response("The account.", user))
        .error_responses(&ERRORS, &[401, 404])
}

fn delete() -> OperationBuilder {
    dialect_operation("deleteUser", "Deletes an account for its owner or an administrator.")
        .security(bearer_auth())
        .parameter(id_parameter())
        .response("200", json_response("It is gone.", message_schema()))
        .error_responses(&ERRORS, &[400, 401, 403, 404])
}

fn dialect_operation(name: &str, summary: &str) -> OperationBuilder {
    operation("REST APIs with Flask", format!("tecladocode.{name}"), summary)
}

fn message_schema() -> ObjectBuilder {
    object([("message", string(""))])
}

fn id_parameter() -> Parameter {
    path_parameter("id", "The number of the account.", integer("").minimum(Some(0)))
}

/// A name and a password, as JSON or as a form of either kind.
fn credentials_body() -> Option<RequestBody> {
    let argument = |description| string(description).schema_type(SchemaType::from_iter([Type::String, Type::Number]));
    let both = || object([("username", argument("The username.")), ("password", argument("The password."))]);
    let content = || ContentBuilder::new().schema(Some(both())).build();
    let body = RequestBodyBuilder::new()
        .required(Some(Required::True))
        .content("application/json", content())
        .content("application/x-www-form-urlencoded", content())
        .content("multipart/form-data", content());
    Some(body.build())
}

/// A text about the whole request or about an argument, or what is wrong with a token.
fn error_schema() -> ObjectBuilder {
    let by_argument = ObjectBuilder::new().schema_type(Type::Object).additional_properties(Some(string("")));
    let message = OneOfBuilder::new().item(string("What is wrong.")).item(by_argument);
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("message", message)
        .property("description", string("What is wrong with the token, where `message` does not say so."))
        .property("error", string("A word for what is wrong with the token."))
}
