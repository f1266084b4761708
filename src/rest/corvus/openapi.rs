//! The dialect's routes, for the OpenAPI document.

use utoipa::openapi::path::{OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{Array, ComponentsBuilder, ObjectBuilder, Type};
use utoipa::openapi::{HttpMethod, OpenApi, OpenApiBuilder, PathsBuilder, Ref, Required};

use super::users;
use crate::config::Mount;
use crate::rest::openapi::{answer, body, flag, object, operation, route, text, with_token};

/// The name of a failure in the document.
const FAILURE: &str = "CorvusFailure";

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
    let components = ComponentsBuilder::new().schema(FAILURE, failure).schema(USER, user());
    OpenApiBuilder::new().paths(paths.build()).components(Some(components.build())).build()
}

fn login() -> OperationBuilder {
    let token = object([("token", text("A UUID: send base64 of `name:token` as `X-Auth-Token`."))])
        .property("enabled", flag("Whether it works."))
        .property("creationTime", text("When it was made."))
        .property("expirationTime", text("When it ends."))
        .property("lastUsageTime", text("When it was last used."))
        .property("note", text("What its owner noted."))
        .property("version", whole("Counts its changes."));
    named("login", "Makes a user token for a name and a password in `Authorization: Basic`.")
        .parameter(header("Authorization", "`Basic` and base64 of `name:password`."))
        .response("200", answer("The token; it is shown this once.", token))
        .fails(&[401, 403, 406, 429, 503])
}

fn bump() -> OperationBuilder {
    let time = object([("lastLoginTime", text("The time of the server."))]);
    with_user_token(named("bump", "Notes that the user is there, as a login does."))
        .response("200", answer("It is noted.", time))
        .fails(&[401, 403, 406])
}

fn logout() -> OperationBuilder {
    with_user_token(named("logout", "Ends the token that comes along, for good."))
        .response("200", answer("It is over.", object([("success", flag("True."))])))
        .fails(&[401, 403, 406])
}

fn list() -> OperationBuilder {
    let page = object(["page", "count", "totalCount", "lastPage"].map(|name| (name, whole(""))))
        .property("items", Array::new(Ref::from_schema_name(USER)))
        .required("items");
    with_user_token(named("users", "One page of the users."))
        .parameter(in_query("page", "Which page: 1, if nothing is said."))
        .parameter(in_query("perPage", "Users of a page: up to 100, and 10, if nothing is said."))
        .response("200", answer("The page.", page))
        .fails(&[400, 401, 403, 404, 406])
}

fn find() -> OperationBuilder {
    with_user_token(named("user", "One user."))
        .parameter(in_path("The username, in any spelling."))
        .response("200", answer("The user.", Ref::from_schema_name(USER)))
        .fails(&[401, 403, 404, 406])
}

fn update() -> OperationBuilder {
    let changes = object([("version", whole("The version that the caller has seen."))])
        .property("lastLoginTime", text("When the user last signed in."));
    with_user_token(named("updateUser", "Changes a user."))
        .parameter(in_path("The username, in any spelling."))
        .request_body(body(changes))
        .response("200", answer("The user as it is now.", Ref::from_schema_name(USER)))
        .fails(&[400, 401, 403, 404, 406, 413])
}

fn named(name: &str, summary: &str) -> OperationBuilder {
    operation("Corvus", format!("corvus.{name}"), summary)
}

/// The user token is one way; every other token of the user's opens the same as bearer token.
fn with_user_token(operation: OperationBuilder) -> OperationBuilder {
    let token = ParameterBuilder::new()
        .name("X-Auth-Token")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("Base64 of `name:token`; it counts before `Authorization`."))
        .schema(Some(text("")));
    operation.parameter(token).security(with_token())
}

fn header(name: &str, description: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::True)
        .description(Some(description))
        .schema(Some(text("")))
        .build()
}

fn in_query(name: &str, description: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(whole("").minimum(Some(1))))
        .build()
}

fn in_path(description: &str) -> Parameter {
    ParameterBuilder::new()
        .name("name")
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(description))
        .schema(Some(text("")))
        .build()
}

fn whole(description: &str) -> ObjectBuilder {
    let description = Some(description).filter(|text| !text.is_empty());
    ObjectBuilder::new().schema_type(Type::Integer).description(description)
}

fn user() -> ObjectBuilder {
    object([
        ("name", text("The username.")),
        ("creationTime", text("When the account was made.")),
        ("role", text("The role, in capitals; of several the administrator's, or the first by name.")),
    ])
    .property("version", whole("Counts the changes."))
    .required("version")
    .property("lastLoginTime", text("When the user last signed in, if ever."))
}

trait Fails {
    /// The statuses that the operation fails with; any may fail with 500.
    fn fails(self, statuses: &[u16]) -> Self;
}

impl Fails for OperationBuilder {
    fn fails(self, statuses: &[u16]) -> Self {
        statuses.iter().chain(&[500]).fold(self, |operation, status| {
            operation.response(status.to_string(), answer(why(*status), Ref::from_schema_name(FAILURE)))
        })
    }
}

fn why(status: u16) -> &'static str {
    match status {
        400 => "The request is not as it has to be, or the version is another one by now.",
        401 => "The credentials do not hold.",
        403 => "The caller may not do this, or has to choose a new password first.",
        404 => "There is nothing there that the caller may see.",
        406 => "The caller does not take JSON.",
        413 => "The body is too long.",
        429 => "It was tried too often; `Retry-After` says how many seconds to wait.",
        503 => "There is more to do than can be done; `Retry-After` says how many seconds to wait.",
        _ => "The server is at fault.",
    }
}
