//! The dialect's routes, for the OpenAPI document.

use utoipa::openapi::path::{OperationBuilder, Parameter};
use utoipa::openapi::schema::{Array, ComponentsBuilder, ObjectBuilder};
use utoipa::openapi::{HttpMethod, OpenApi, OpenApiBuilder, PathsBuilder, Ref, Required};

use super::users;
use crate::config::Mount;
use crate::rest::openapi::{
    Fails, Failures, answer, body, flag, in_header, in_path, in_query_if_at_all, number, object, operation, route,
    text, with_token,
};

/// What operations fail with.
const FAILURES: Failures = Failures {
    form: "CorvusFailure",
    own: &[
        (400, "The request is not as it has to be, or the version is another one by now."),
        (401, "The credentials do not hold."),
        (403, "The caller may not do this, or has to choose a new password first."),
        (404, "There is nothing there that the caller may see."),
        (406, "The caller does not take JSON."),
    ],
};

/// The name of a user in the document.
const USER: &str = "CorvusUser";

/// The routes of tokens and of users.
pub(in crate::rest) fn describe(mount: &Mount) -> OpenApi {
    let users = users(mount);
    let mut one = route(HttpMethod::Get, find());
    one.merge_operations(route(HttpMethod::Patch, update()));
    let paths = PathsBuilder::new()
        .path(mount.under("/login"), route(HttpMethod::Post, login()))
        .path(mount.under("/bump"), route(HttpMethod::Post, bump()))
        .path(mount.under("/logout"), route(HttpMethod::Post, logout()))
        .path(users.as_str(), route(HttpMethod::Get, list()))
        .path(format!("{users}/{{name}}"), one);
    let failure = object([("message", text("What is wrong."))]);
    let components = ComponentsBuilder::new().schema(FAILURES.form, failure).schema(USER, user());
    OpenApiBuilder::new().paths(paths.build()).components(Some(components.build())).build()
}

fn login() -> OperationBuilder {
    let token = object([("token", text("A UUID: send base64 of `name:token` as `X-Auth-Token`."))])
        .property("enabled", flag("Whether it works."))
        .property("creationTime", text("When it was made."))
        .property("expirationTime", text("When it ends."))
        .property("lastUsageTime", text("When it was last used."))
        .property("note", text("What its owner noted."))
        .property("version", number("Counts its changes."));
    named("login", "Makes a user token for a name and a password in `Authorization: Basic`.")
        .parameter(in_header("Authorization", Required::True, "`Basic` and base64 of `name:password`."))
        .response("200", answer("The token; it is shown this once.", token))
        .fails(&FAILURES, &[401, 403, 406, 429, 503])
}

fn bump() -> OperationBuilder {
    let time = object([("lastLoginTime", text("The time of the server."))]);
    with_user_token(named("bump", "Notes that the user is there, as a login does."))
        .response("200", answer("It is noted.", time))
        .fails(&FAILURES, &[401, 403, 406])
}

fn logout() -> OperationBuilder {
    with_user_token(named("logout", "Ends the token that comes along, for good."))
        .response("200", answer("It is over.", object([("success", flag("True."))])))
        .fails(&FAILURES, &[401, 403, 406])
}

fn list() -> OperationBuilder {
    let page = object(["page", "count", "totalCount", "lastPage"].map(|name| (name, number(""))))
        .property("items", Array::new(Ref::from_schema_name(USER)))
        .required("items");
    with_user_token(named("users", "One page of the users."))
        .parameter(counted("page", "Which page: 1, if nothing is said."))
        .parameter(counted("perPage", "Users of a page: up to 100, and 10, if nothing is said."))
        .response("200", answer("The page.", page))
        .fails(&FAILURES, &[400, 401, 403, 404, 406])
}

fn find() -> OperationBuilder {
    with_user_token(named("user", "One user."))
        .parameter(name())
        .response("200", answer("The user.", Ref::from_schema_name(USER)))
        .fails(&FAILURES, &[401, 403, 404, 406])
}

fn update() -> OperationBuilder {
    let changes = object([("version", number("The version that the caller has seen."))])
        .property("lastLoginTime", text("When the user last signed in."));
    with_user_token(named("updateUser", "Changes a user."))
        .parameter(name())
        .request_body(body(changes))
        .response("200", answer("The user as it is now.", Ref::from_schema_name(USER)))
        .fails(&FAILURES, &[400, 401, 403, 404, 406, 413])
}

fn named(name: &str, summary: &str) -> OperationBuilder {
    operation("Corvus", format!("corvus.{name}"), summary)
}

/// The user token is one way; every other token of the user's opens the same as bearer token.
fn with_user_token(operation: OperationBuilder) -> OperationBuilder {
    let token = in_header("X-Auth-Token", Required::False, "Base64 of `name:token`; it counts before `Authorization`.");
    operation.parameter(token).security(with_token())
}

fn counted(name: &str, description: &str) -> Parameter {
    in_query_if_at_all(name, description, number("").minimum(Some(1)))
}

fn name() -> Parameter {
    in_path("name", "The username, in any spelling.", text(""))
}

fn user() -> ObjectBuilder {
    object([
        ("name", text("The username.")),
        ("creationTime", text("When the account was made.")),
        ("role", text("The role, in capitals; of several the administrator's, or the first by name.")),
    ])
    .property("version", number("Counts the changes."))
    .required("version")
    .property("lastLoginTime", text("When the user last signed in, if ever."))
}
