//! OpenAPI description of the dialect.

use utoipa::openapi::path::{OperationBuilder, Parameter};
use utoipa::openapi::schema::{Array, ComponentsBuilder, ObjectBuilder};
use utoipa::openapi::{HttpMethod, OpenApi, OpenApiBuilder, PathsBuilder, Ref, Required};

use super::path;
use crate::config::Mount;
use crate::openapi_builder::{
    ErrorResponses, WithErrorResponses, bearer_auth, boolean, header_parameter, integer, json_body, json_response,
    object, operation, optional_query_parameter, path_item, path_parameter, string,
};

/// Error responses.
const ERRORS: ErrorResponses = ErrorResponses {
    schema: "CorvusFailure",
    descriptions: &[
        (400, "The request is malformed, or the version is outdated."),
        (401, "The credentials are invalid."),
        (403, "The caller lacks the permission, or must change the password first."),
        (404, "Not found, or not visible to the caller."),
        (406, "The client does not accept JSON."),
    ],
};

/// Name of the user's schema in the document.
const USER_SCHEMA: &str = "CorvusUser";

/// The routes of tokens and of users at this mount.
pub(in crate::dialects) fn describe(mount: &Mount) -> OpenApi {
    let users = path::users(mount);
    let mut one = path_item(HttpMethod::Get, find());
    one.merge_operations(path_item(HttpMethod::Patch, update()));
    let paths = PathsBuilder::new()
        .path(mount.join("/login"), path_item(HttpMethod::Post, login()))
        .path(mount.join("/bump"), path_item(HttpMethod::Post, bump()))
        .path(mount.join("/logout"), path_item(HttpMethod::Post, logout()))
        .path(users.as_str(), path_item(HttpMethod::Get, list()))
        .path(format!("{users}/{{name}}"), one);
    let error = object([("message", string("Error message."))]);
    let components = ComponentsBuilder::new().schema(ERRORS.schema, error).schema(USER_SCHEMA, user_schema());
    OpenApiBuilder::new().paths(paths.build()).components(Some(components.build())).build()
}

fn login() -> OperationBuilder {
    let token = object([("token", string("A UUID: send base64 of `name:token` as `X-Auth-Token`."))])
        .property("enabled", boolean("Whether the token is enabled."))
        .property("creationTime", string("Creation time."))
        .property("expirationTime", string("Expiry time."))
        .property("lastUsageTime", string("Time of last use."))
        .property("note", string("The owner's note."))
        .property("version", integer("Version; each change increments it."));
    corvus_operation("login", "Creates a user token for a username and password in `Authorization: Basic`.")
        .parameter(header_parameter("Authorization", Required::True, "`Basic` and base64 of `name:password`."))
        .response("200", json_response("The token; returned only once.", token))
        .error_responses(&ERRORS, &[401, 403, 406, 429, 503])
}

fn bump() -> OperationBuilder {
    let time = object([("lastLoginTime", string("The server's time."))]);
    with_user_token(corvus_operation("bump", "Records activity of the user, as a login does."))
        .response("200", json_response("The activity is recorded.", time))
        .error_responses(&ERRORS, &[401, 403, 406])
}

fn logout() -> OperationBuilder {
    with_user_token(corvus_operation("logout", "Revokes the token that is sent."))
        .response("200", json_response("The token is revoked.", object([("success", boolean("True."))])))
        .error_responses(&ERRORS, &[401, 403, 406])
}

fn list() -> OperationBuilder {
    let page = object(["page", "count", "totalCount", "lastPage"].map(|name| (name, integer(""))))
        .property("items", Array::new(Ref::from_schema_name(USER_SCHEMA)))
        .required("items");
    with_user_token(corvus_operation("users", "One page of the users."))
        .parameter(positive_integer_parameter("page", "Page number; default 1."))
        .parameter(positive_integer_parameter("perPage", "Users per page, at most 100; default 10."))
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
    let changes = object([("version", integer("The version that the client has read."))])
        .property("lastLoginTime", string("Time of the last login."));
    with_user_token(corvus_operation("updateUser", "Changes a user."))
        .parameter(name_parameter())
        .request_body(json_body(changes))
        .response("200", json_response("The updated user.", Ref::from_schema_name(USER_SCHEMA)))
        .error_responses(&ERRORS, &[400, 401, 403, 404, 406, 413])
}

fn corvus_operation(name: &str, summary: &str) -> OperationBuilder {
    operation("Corvus", format!("corvus.{name}"), summary)
}

/// Adds authentication: by user token, or by any other token of the user as bearer token.
fn with_user_token(operation: OperationBuilder) -> OperationBuilder {
    let token = header_parameter(
        "X-Auth-Token",
        Required::False,
        "Base64 of `name:token`; takes precedence over `Authorization`.",
    );
    operation.parameter(token).security(bearer_auth())
}

fn positive_integer_parameter(name: &str, description: &str) -> Parameter {
    optional_query_parameter(name, description, integer("").minimum(Some(1)))
}

fn name_parameter() -> Parameter {
    path_parameter("name", "The username; case is ignored.", string(""))
}

fn user_schema() -> ObjectBuilder {
    object([
        ("name", string("The username.")),
        ("creationTime", string("Creation time of the user.")),
        (
            "role",
            string(
                "The primary role in upper case: the administrator role if the user has it, else the first by name.",
            ),
        ),
    ])
    .property("version", integer("Version; each change increments it."))
    .required("version")
    .property("lastLoginTime", string("Time of the last login; missing before the first one."))
}
