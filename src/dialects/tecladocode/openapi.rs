//! OpenAPI description of the dialect.

use utoipa::openapi::path::{OperationBuilder, Parameter};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{ComponentsBuilder, ObjectBuilder, OneOfBuilder, SchemaType, Type};
use utoipa::openapi::{ContentBuilder, HttpMethod, OpenApi, OpenApiBuilder, PathsBuilder, Required};

use crate::config::Mount;
use crate::openapi_builder::{
    ErrorResponses, WithErrorResponses, bearer_auth, integer, json_response, object, operation, path_item,
    path_parameter, string,
};

/// Error responses.
const ERRORS: ErrorResponses = ErrorResponses {
    schema: "TecladocodeFailure",
    descriptions: &[
        (400, "The request is malformed or refused."),
        (401, "The credentials are invalid."),
        (403, "The caller lacks the permission."),
        (404, "The user does not exist or is not visible to the caller."),
    ],
};

/// The routes at this mount.
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
    dialect_operation("register", "Creates a user, if registration is open.")
        .request_body(credentials_body())
        .response("201", json_response("The user was created.", message_schema()))
        .error_responses(&ERRORS, &[400, 403, 413, 429, 503])
}

fn login() -> OperationBuilder {
    let pair = object([
        ("access_token", string("Short-lived access token: send it as `Authorization: Bearer <token>`.")),
        ("refresh_token", string("Send it to `/refresh` in the same header to get further access tokens.")),
    ]);
    dialect_operation("login", "Signs in.")
        .request_body(credentials_body())
        .response("200", json_response("A session.", pair))
        .error_responses(&ERRORS, &[400, 401, 413, 429, 503])
}

fn refresh() -> OperationBuilder {
    let next = object([("access_token", string("A new access token; the refresh token stays the same."))]);
    dialect_operation("refresh", "Issues a new access token for a refresh token.")
        .security(bearer_auth())
        .response("200", json_response("The access token.", next))
        .error_responses(&ERRORS, &[401])
}

fn logout() -> OperationBuilder {
    dialect_operation("logout", "Ends the session of the access token.")
        .security(bearer_auth())
        .response("200", json_response("The session has ended.", message_schema()))
        .error_responses(&ERRORS, &[401])
}

fn show() -> OperationBuilder {
    let user = object([("id", integer("Row id of the user.")), ("username", string("The username."))]);
    dialect_operation("showUser", "Returns a user to its owner or an administrator.")
        .security(bearer_auth())
        .parameter(id_parameter())
        .response("200", json_response("The user.", user))
        .error_responses(&ERRORS, &[401, 404])
}

fn delete() -> OperationBuilder {
    dialect_operation("deleteUser", "Deletes a user; requires its owner or an administrator.")
        .security(bearer_auth())
        .parameter(id_parameter())
        .response("200", json_response("The user is deleted.", message_schema()))
        .error_responses(&ERRORS, &[400, 401, 403, 404])
}

fn dialect_operation(name: &str, summary: &str) -> OperationBuilder {
    operation("REST APIs with Flask", format!("tecladocode.{name}"), summary)
}

fn message_schema() -> ObjectBuilder {
    object([("message", string(""))])
}

fn id_parameter() -> Parameter {
    path_parameter("id", "Row id of the user.", integer("").minimum(Some(0)))
}

/// Username and password, as JSON or as a form of either kind.
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

/// An error message for the request, for one argument, or for the token.
fn error_schema() -> ObjectBuilder {
    let by_argument = ObjectBuilder::new().schema_type(Type::Object).additional_properties(Some(string("")));
    let message = OneOfBuilder::new().item(string("Error message.")).item(by_argument);
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("message", message)
        .property("description", string("Token error, where `message` is missing."))
        .property("error", string("Code of the token error."))
}
