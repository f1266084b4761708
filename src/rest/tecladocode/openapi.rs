//! The dialect's routes, for the OpenAPI document.

use utoipa::openapi::path::{OperationBuilder, Parameter};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{ComponentsBuilder, ObjectBuilder, OneOfBuilder, SchemaType, Type};
use utoipa::openapi::{ContentBuilder, HttpMethod, OpenApi, OpenApiBuilder, PathsBuilder, Required};

use crate::config::Mount;
use crate::rest::openapi::{Fails, Failures, answer, in_path, number, object, operation, route, text, with_token};

/// What operations fail with.
const FAILURES: Failures = Failures {
    form: "TecladocodeFailure",
    own: &[
        (400, "The request is not as it has to be, or cannot be done."),
        (401, "The credentials do not hold."),
        (403, "The caller may not do this."),
        (404, "There is no such user, as far as the caller may know."),
    ],
};

/// The routes, in their place.
pub(in crate::rest) fn describe(mount: &Mount) -> OpenApi {
    let mut users = route(HttpMethod::Get, show());
    users.merge_operations(route(HttpMethod::Delete, delete()));
    let paths = PathsBuilder::new()
        .path(mount.under("/register"), route(HttpMethod::Post, register()))
        .path(mount.under("/login"), route(HttpMethod::Post, login()))
        .path(mount.under("/refresh"), route(HttpMethod::Post, refresh()))
        .path(mount.under("/logout"), route(HttpMethod::Post, logout()))
        .path(mount.under("/user/{id}"), users);
    let components = ComponentsBuilder::new().schema(FAILURES.form, failure());
    OpenApiBuilder::new().paths(paths.build()).components(Some(components.build())).build()
}

fn register() -> OperationBuilder {
    named("register", "Makes an account, if registration is open.")
        .request_body(credentials())
        .response("201", answer("The account is there.", message()))
        .fails(&FAILURES, &[400, 403, 413, 429, 503])
}

fn login() -> OperationBuilder {
    let pair = object([
        ("access_token", text("Opens the API for a short time: send it as `Authorization: Bearer <token>`.")),
        ("refresh_token", text("Gets further access tokens, in the same header of `/refresh`.")),
    ]);
    named("login", "Signs in.")
        .request_body(credentials())
        .response("200", answer("A session.", pair))
        .fails(&FAILURES, &[400, 401, 413, 429, 503])
}

fn refresh() -> OperationBuilder {
    let next = object([("access_token", text("Another one; the refresh token stays."))]);
    named("refresh", "Makes another access token for a refresh token.")
        .security(with_token())
        .response("200", answer("The access token.", next))
        .fails(&FAILURES, &[401])
}

fn logout() -> OperationBuilder {
    named("logout", "Ends the session of the access token.")
        .security(with_token())
        .response("200", answer("It is over.", message()))
        .fails(&FAILURES, &[401])
}

fn show() -> OperationBuilder {
    let user = object([("id", number("The number of the account.")), ("username", text("Its name."))]);
    named("showUser", "Shows an account to its owner or an administrator.")
        .security(with_token())
        .parameter(id())
        .response("200", answer("The account.", user))
        .fails(&FAILURES, &[401, 404])
}

fn delete() -> OperationBuilder {
    named("deleteUser", "Deletes an account for its owner or an administrator.")
        .security(with_token())
        .parameter(id())
        .response("200", answer("It is gone.", message()))
        .fails(&FAILURES, &[400, 401, 403, 404])
}

fn named(name: &str, summary: &str) -> OperationBuilder {
    operation("REST APIs with Flask", format!("tecladocode.{name}"), summary)
}

fn message() -> ObjectBuilder {
    object([("message", text(""))])
}

fn id() -> Parameter {
    in_path("id", "The number of the account.", number("").minimum(Some(0)))
}

/// A name and a password, as JSON or as a form of either kind.
fn credentials() -> Option<RequestBody> {
    let argument = |description| text(description).schema_type(SchemaType::from_iter([Type::String, Type::Number]));
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
fn failure() -> ObjectBuilder {
    let by_argument = ObjectBuilder::new().schema_type(Type::Object).additional_properties(Some(text("")));
    let message = OneOfBuilder::new().item(text("What is wrong.")).item(by_argument);
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("message", message)
        .property("description", text("What is wrong with the token, where `message` does not say so."))
        .property("error", text("A word for what is wrong with the token."))
}
