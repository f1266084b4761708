//! The dialect's routes, for the OpenAPI document.

use utoipa::openapi::path::{OperationBuilder, Parameter};
use utoipa::openapi::schema::{Array, ComponentsBuilder, ObjectBuilder};
use utoipa::openapi::{HttpMethod, OpenApi, OpenApiBuilder, PathsBuilder, Ref, Required};

use super::users_path;
use crate::config::Mount;
use crate::openapi_builder::{
    ErrorResponses, WithErrorResponses, bearer_auth, boolean, header_parameter, integer, json_body, json_response,
    object, operation, optional_query_parameter, path_item, path_parameter, string,
};

/// What operations fail with.
const ERRORS: ErrorResponses = ErrorResponses {
    schema: "CorvusFailure",
    descriptions: &[
        (400, "The request is not as it has to be, or the version is another one by now."),
        (401, "The credentials do not hold."),
        (403, "The caller may not do this, or has to choose a new password first."),
        (404, "There is nothing there that the caller may see."),
        (406, "The caller does not take JSON."),
    ],
};

/// The name of a user in the document.
const USER_SCHEMA: &str = "CorvusUser";

/// The routes of tokens and of users.
pub(in crate::dialects) fn describe(mount: &Mount) -> OpenApi {
    let users = users_path(mount);
    let mut one = path_item(HttpMethod::Get, find());
    one.merge_operations(path_item(HttpMethod::Patch, update()));
    let paths = PathsBuilder::new()
        .path(mount.join("/login"), path_item(HttpMethod::Post, login()))
        .path(mount.join("/bump"), path_item(HttpMethod::Post, bump()))
        .path(mount.join("/logout"), path_item(HttpMethod::Post, logout()))
        .path(users.as_str(), path_item(HttpMethod::Get, list()))
        .path(format!("{users}/{{name}}"), one);
    let failure = object([("message", string("What is wrong."))]);
    let components = ComponentsBuilder::new().schema(ERRORS.schema, failure).schema(USER_SCHEMA, user_schema());
    OpenApiBuilder::new().paths(paths.build()).components(Some(components.build())).build()
}

fn login() -> OperationBuilder {
    let token = object([("token", string("A UUID: send base64 of `name:token` as `X-Auth-Token`."))])
        .property("enabled", boolean("Whether it works."))
        .property("creationTime", string("When it was made."))
        .property("expirationTime", string("When it ends."))
        .property("lastUsageTime", string("When it was last used."))
        .property("note", string("What its owner noted."))
        .property("version", integer("Counts its changes."));
    corvus_operation("login", "Makes a user token for a name and a password in `Authorization: Basic`.")
        .parameter(header_parameter("Authorization", Required::True, "`Basic` and base64 of `name:password`."))
        .response("200", json_response("The token; it is shown this once.", token))
        .error_responses(&ERRORS, &[401, 403, 406, 429, 503])
}

fn bump() -> OperationBuilder {
    let time = object([("lastLoginTime", string("The time of the server."))]);
    with_user_token(corvus_operation("bump", "Notes that the user is there, as a login does."))
        .response("200", json_response("It is noted.", time))
        .error_responses(&ERRORS, &[401, 403, 406])
}

fn logout() -> OperationBuilder {
    with_user_token(corvus_operation("logout", "Ends the token that comes along, for good."))
        .response("200", json_response("It is over.", object([("success", boolean("True."))])))
        .error_responses(&ERRORS, &[401, 403, 406])
}

fn list() -> OperationBuilder {
    let page = object(["page", "count", "totalCount", "lastPage"].map(|name| (name, integer(""))))
        .property("items", Array::new(Ref::from_schema_name(USER_SCHEMA)))
        .required("items");
    with_user_token(corvus_operation("users", "One page of the users."))
        .parameter(positive_integer_parameter("page", "Which page: 1, if nothing is said."))
        .parameter(positive_integer_parameter("perPage", "Users of a page: up to 100, and 10, if nothing is said."))
        .response("200", json_response("The page.", page))
        .error_responses(&ERRORS, &[400, 401, 403, 404, 406])
}

fn find() -> OperationBuilder {
    with_user_token(corvus_operation("user", "One user."))
        .parameter(name_parameter())
        .response("200", json_response("The user.", Ref::from_schema_name(USER_SCHEMA)))
        .error_responses(&ERRORS, &[401, 403, 404, 406])
}

fn update() -> OperationBuilder {
    let changes = object([("version", integer("The version that the caller has seen."))])
        .property("lastLoginTime", string("When the user last signed in."));
    with_user_token(corvus_operation("updateUser", "Changes a user."))
        .parameter(name_parameter())
        .request_body(json_body(changes))
        .response("200", json_response("The user as it is now.", Ref::from_schema_name(USER_SCHEMA)))
        .error_responses(&ERRORS, &[400, 401, 403, 404, 406, 413])
}

fn corvus_operation(name: &str, summary: &str) -> OperationBuilder {
    operation("Corvus", format!("corvus.{name}"), summary)
}

/// The user token is one way; every other token of the user's opens the same as bearer token.
fn with_user_token(operation: OperationBuilder) -> OperationBuilder {
    let token =
        header_parameter("X-Auth-Token", Required::False, "Base64 of `name:token`; it counts before `Authorization`.");
    operation.parameter(token).security(bearer_auth())
}

fn positive_integer_parameter(name: &str, description: &str) -> Parameter {
    optional_query_parameter(name, description, integer("").minimum(Some(1)))
}

fn name_parameter() -> Parameter {
    path_parameter("name", "The username, in any spelling.", string(""))
}

fn user_schema() -> ObjectBuilder {
    object([
        ("name", string("The username.")),
        ("creationTime", string("When the account was made.")),
        ("role", string("The role, in capitals; of several the administrator's, or the first by name.")),
    ])
    .property("version", integer("Counts the changes."))
    .required("version")
    .property("lastLoginTime", string("When the user last signed in, if ever."))
}
