//! The dialect's routes, as the OpenAPI document shows them.

use utoipa::openapi::path::{OperationBuilder, Parameter};
use utoipa::openapi::schema::{ArrayBuilder, ComponentsBuilder, ObjectBuilder, Type};
use utoipa::openapi::{HttpMethod, OpenApi, OpenApiBuilder, PathItem, PathsBuilder, Ref, ResponseBuilder};

use crate::config::Mount;
use crate::rest::openapi::{
    answer, body, flag, in_path, in_query_if_at_all, number, object, operation, route, text, with_token,
};

/// The name of [`failure`] in the document.
const FAILURE: &str = "UserApiFailure";

/// The routes in this place.
pub(in crate::rest) fn describe(mount: &Mount) -> OpenApi {
    let described = routes().into_iter().map(|(path, item)| (mount.under(path), item));
    let paths = described.fold(PathsBuilder::new(), |paths, (path, item)| paths.path(path, item));
    let components = ComponentsBuilder::new().schema(FAILURE, failure());
    OpenApiBuilder::new().paths(paths.build()).components(Some(components.build())).build()
}

fn routes() -> [(&'static str, PathItem); 9] {
    let both = |mut first: PathItem, second: PathItem| {
        first.merge_operations(second);
        first
    };
    [
        ("/users/login", route(HttpMethod::Post, login())),
        ("/users/token", route(HttpMethod::Get, token())),
        (
            "/users/logout",
            both(route(HttpMethod::Get, logout("logoutByLink")), route(HttpMethod::Post, logout("logout"))),
        ),
        ("/users/reset-password", route(HttpMethod::Post, reset_password())),
        ("/users/", both(route(HttpMethod::Get, list()), route(HttpMethod::Post, create()))),
        ("/users/{id}", both(route(HttpMethod::Get, get()), route(HttpMethod::Put, update()))),
        ("/roles/", route(HttpMethod::Get, roles())),
        ("/users", both(route(HttpMethod::Get, moved("users")), route(HttpMethod::Post, moved("newUser")))),
        ("/roles", route(HttpMethod::Get, moved("roles"))),
    ]
}

fn login() -> OperationBuilder {
    let credentials = object([("email", text("As it is shown, letter for letter.")), ("password", text(""))]);
    named("login", "Signs in: the token comes in the cookie `user-api-credentials`, in base64.")
        .request_body(body(credentials))
        .response("200", answer("Who has signed in, and until when.", claims()))
        .fails(&[401, 403, 413, 415, 422, 429, 503])
}

fn token() -> OperationBuilder {
    named("token", "Whose token it is; null if it does not hold.")
        .security(with_token())
        .response("200", answer("Who is signed in, and until when; or null.", ObjectBuilder::new()))
        .fails(&[401, 403])
}

fn logout(name: &str) -> OperationBuilder {
    let summary = "Ends the session. With the cookie alone, a GET has to come from a page of this server's.";
    named(name, summary)
        .security(with_token())
        .response("200", answer("It is over.", object([("message", text(""))])))
        .fails(&[403])
}

fn reset_password() -> OperationBuilder {
    let input =
        object([("email", text("One's own, or with the permission anybody's.")), ("password", text("The new one."))]);
    named("resetPassword", "Sets a password and ends the other sessions of its owner.")
        .security(with_token())
        .request_body(body(input))
        .response("200", answer("It is set.", person()))
        .fails(&[401, 403, 413, 415, 422, 503])
}

fn list() -> OperationBuilder {
    let page = object([("has_next", flag("Whether there are more."))])
        .property("users", ArrayBuilder::new().items(person()))
        .required("users");
    paged(named("listUsers", "The users of one's own customer; every filter narrows."))
        .parameter(filter("email", "Part of the e-mail address."))
        .parameter(filter("name", "Part of the name."))
        .response("200", answer("Users, the eldest first.", page))
        .fails(&[401, 403, 422])
}

fn create() -> OperationBuilder {
    let input = written().required("password").required("roles");
    named("createUser", "Makes a user of one's own customer.")
        .security(with_token())
        .request_body(body(input))
        .response("201", answer("The user.", with_roles()))
        .fails(&[401, 403, 409, 413, 415, 422, 503])
}

fn get() -> OperationBuilder {
    named("getUser", "A user of one's own customer.")
        .security(with_token())
        .parameter(id())
        .response("200", answer("The user.", with_roles()))
        .fails(&[401, 403, 404])
}

fn update() -> OperationBuilder {
    let input = written().property("id", number("Of no consequence."));
    named("updateUser", "Changes a user of one's own customer; roles that are given take the place of the old ones.")
        .security(with_token())
        .parameter(id())
        .request_body(body(input))
        .response("200", answer("The user as it is now.", with_roles()))
        .fails(&[401, 403, 404, 409, 413, 415, 422, 503])
}

fn roles() -> OperationBuilder {
    let page = object([("has_next", flag("Whether there are more."))])
        .property("roles", ArrayBuilder::new().items(role()))
        .required("roles");
    paged(named("listRoles", "The roles that users can have."))
        .response("200", answer("Roles in the order of their numbers.", page))
        .fails(&[401, 403, 422])
}

fn moved(what: &str) -> OperationBuilder {
    let there = ResponseBuilder::new().description("The same address with a slash behind it.");
    named(&format!("{what}WithoutSlash"), "Sends the client on.").response("308", there)
}

fn named(name: &str, summary: &str) -> OperationBuilder {
    operation("user-api", format!("userApi.{name}"), summary)
}

fn paged(operation: OperationBuilder) -> OperationBuilder {
    let rows = |name, text| in_query_if_at_all(name, text, number("").minimum(Some(0)));
    operation
        .security(with_token())
        .parameter(rows("limit", "How many at most; 20 if nothing is said."))
        .parameter(rows("offset", "Behind how many."))
}

fn filter(name: &str, description: &str) -> Parameter {
    in_query_if_at_all(name, description, text(""))
}

fn id() -> Parameter {
    in_path("id", "The user's number.", number(""))
}

/// What a caller says of a user.
fn written() -> ObjectBuilder {
    object([("email", text("An e-mail address, or a username.")), ("name", text("May be empty."))])
        .property("active", flag("Whether the user can sign in."))
        .required("active")
        .property("password", text("A password that meets the policy."))
        .property(
            "roles",
            ArrayBuilder::new().items(object([("id", number("The number of a role; unknown ones are ignored."))])),
        )
}

fn person() -> ObjectBuilder {
    object([("email", text("The e-mail address, or the username of who has none.")), ("name", text(""))])
        .property("id", number("The user's number."))
        .required("id")
        .property("active", flag("Whether the user can sign in."))
        .required("active")
        .property("customer", object([("id", number("The tenant's number."))]))
        .required("customer")
}

fn with_roles() -> ObjectBuilder {
    person().property("roles", ArrayBuilder::new().items(role())).required("roles")
}

fn claims() -> ObjectBuilder {
    with_roles().property("exp", number("The end of the session, in seconds since 1970.")).required("exp")
}

fn role() -> ObjectBuilder {
    object([("code", text("The role's name.")), ("name", text("What it is called by people."))])
        .property("id", number("The role's number."))
        .required("id")
}

/// What went wrong, and by field why.
fn failure() -> ObjectBuilder {
    object([("error_code", text("")), ("message", text(""))])
        .property("payload", ObjectBuilder::new().schema_type(Type::Object))
}

/// An operation that can fail.
trait Fails {
    /// Adds the answers with these statuses.
    fn fails(self, statuses: &[u16]) -> Self;
}

impl Fails for OperationBuilder {
    fn fails(self, statuses: &[u16]) -> Self {
        statuses.iter().fold(self, |operation, status| {
            operation.response(status.to_string(), answer("What went wrong.", Ref::from_schema_name(FAILURE)))
        })
    }
}
