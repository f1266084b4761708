//! The dialect's routes, as the OpenAPI document shows them.

use utoipa::openapi::path::{OperationBuilder, Parameter};
use utoipa::openapi::schema::{ArrayBuilder, ComponentsBuilder, ObjectBuilder, Type};
use utoipa::openapi::{HttpMethod, OpenApi, OpenApiBuilder, PathItem, PathsBuilder, Ref, ResponseBuilder};

use crate::config::Mount;
use crate::openapi_builder::{
    bearer_auth, boolean, integer, json_body, json_response, object, operation, optional_query_parameter, path_item,
    path_parameter, string,
};

/// The name of [`failure`] in the document.
const ERROR_SCHEMA: &str = "UserApiFailure";

/// The routes in this place.
pub(in crate::dialects) fn describe(mount: &Mount) -> OpenApi {
    let described = routes().into_iter().map(|(path, item)| (mount.join(path), item));
    let paths = described.fold(PathsBuilder::new(), |paths, (path, item)| paths.path(path, item));
    let components = ComponentsBuilder::new().schema(ERROR_SCHEMA, error_schema());
    OpenApiBuilder::new().paths(paths.build()).components(Some(components.build())).build()
}

fn routes() -> [(&'static str, PathItem); 9] {
    let both = |mut first: PathItem, second: PathItem| {
        first.merge_operations(second);
        first
    };
    [
        ("/users/login", path_item(HttpMethod::Post, login())),
        ("/users/token", path_item(HttpMethod::Get, token())),
        (
            "/users/logout",
            both(path_item(HttpMethod::Get, logout("logoutByLink")), path_item(HttpMethod::Post, logout("logout"))),
        ),
        ("/users/reset-password", path_item(HttpMethod::Post, reset_password())),
        ("/users/", both(path_item(HttpMethod::Get, list()), path_item(HttpMethod::Post, create()))),
        ("/users/{id}", both(path_item(HttpMethod::Get, get()), path_item(HttpMethod::Put, update()))),
        ("/roles/", path_item(HttpMethod::Get, roles())),
        (
            "/users",
            both(path_item(HttpMethod::Get, redirect("users")), path_item(HttpMethod::Post, redirect("newUser"))),
        ),
        ("/roles", path_item(HttpMethod::Get, redirect("roles"))),
    ]
}

fn login() -> OperationBuilder {
    let credentials = object([("email", string("As it is shown, letter for letter.")), ("password", string(""))]);
    dialect_operation("login", "Signs in: the token comes in the cookie `user-api-credentials`, in base64.")
        .request_body(json_body(credentials))
        .response("200", json_response("Who has signed in, and until when.", claims_schema()))
        .error_responses(&[401, 403, 413, 415, 422, 429, 503])
}

fn token() -> OperationBuilder {
    dialect_operation("token", "Whose token it is; null if it does not hold.")
        .security(bearer_auth())
        .response("200", json_response("Who is signed in, and until when; or null.", ObjectBuilder::new()))
        .error_responses(&[401, 403])
}

fn logout(name: &str) -> OperationBuilder {
    let summary = "Ends the session. With the cookie alone, a GET has to come from a page of this server's.";
    dialect_operation(name, summary)
        .security(bearer_auth())
        .response("200", json_response("It is over.", object([("message", string(""))])))
        .error_responses(&[403])
}

fn reset_password() -> OperationBuilder {
    let input = object([
        ("email", string("One's own, or with the permission anybody's.")),
        ("password", string("The new one.")),
    ]);
    dialect_operation("resetPassword", "Sets a password and ends the other sessions of its owner.")
        .security(bearer_auth())
        .request_body(json_body(input))
        .response("200", json_response("It is set.", user_schema()))
        .error_responses(&[401, 403, 413, 415, 422, 503])
}

fn list() -> OperationBuilder {
    let page = object([("has_next", boolean("Whether there are more."))])
        .property("users", ArrayBuilder::new().items(user_schema()))
        .required("users");
    paged(dialect_operation("listUsers", "The users of one's own customer; every filter narrows."))
        .parameter(filter_parameter("email", "Part of the e-mail address."))
        .parameter(filter_parameter("name", "Part of the name."))
        .response("200", json_response("Users, the eldest first.", page))
        .error_responses(&[401, 403, 422])
}

fn create() -> OperationBuilder {
    let input = user_input_schema().required("password").required("roles");
    dialect_operation("createUser", "Makes a user of one's own customer.")
        .security(bearer_auth())
        .request_body(json_body(input))
        .response("201", json_response("The user.", user_with_roles_schema()))
        .error_responses(&[401, 403, 409, 413, 415, 422, 503])
}

fn get() -> OperationBuilder {
    dialect_operation("getUser", "A user of one's own customer.")
        .security(bearer_auth())
        .parameter(id_parameter())
        .response("200", json_response("The user.", user_with_roles_schema()))
        .error_responses(&[401, 403, 404])
}

fn update() -> OperationBuilder {
    let input = user_input_schema().property("id", integer("Of no consequence."));
    dialect_operation(
        "updateUser",
        "Changes a user of one's own customer; roles that are given take the place of the old ones.",
    )
    .security(bearer_auth())
    .parameter(id_parameter())
    .request_body(json_body(input))
    .response("200", json_response("The user as it is now.", user_with_roles_schema()))
    .error_responses(&[401, 403, 404, 409, 413, 415, 422, 503])
}

fn roles() -> OperationBuilder {
    let page = object([("has_next", boolean("Whether there are more."))])
        .property("roles", ArrayBuilder::new().items(role_schema()))
        .required("roles");
    paged(dialect_operation("listRoles", "The roles that users can have."))
        .response("200", json_response("Roles in the order of their numbers.", page))
        .error_responses(&[401, 403, 422])
}

fn redirect(what: &str) -> OperationBuilder {
    let there = ResponseBuilder::new().description("The same address with a slash behind it.");
    dialect_operation(&format!("{what}WithoutSlash"), "Sends the client on.").response("308", there)
}

fn dialect_operation(name: &str, summary: &str) -> OperationBuilder {
    operation("user-api", format!("userApi.{name}"), summary)
}

fn paged(operation: OperationBuilder) -> OperationBuilder {
    let rows = |name, text| optional_query_parameter(name, text, integer("").minimum(Some(0)));
    operation
        .security(bearer_auth())
        .parameter(rows("limit", "How many at most; 20 if nothing is said."))
        .parameter(rows("offset", "Behind how many."))
}

fn filter_parameter(name: &str, description: &str) -> Parameter {
    optional_query_parameter(name, description, string(""))
}

fn id_parameter() -> Parameter {
    path_parameter("id", "The user's number.", integer(""))
}

/// What a caller says of a user.
fn user_input_schema() -> ObjectBuilder {
    object([("email", string("An e-mail address, or a username.")), ("name", string("May be empty."))])
        .property("active", boolean("Whether the user can sign in."))
        .required("active")
        .property("password", string("A password that meets the policy."))
        .property(
            "roles",
            ArrayBuilder::new().items(object([("id", integer("The number of a role; unknown ones are ignored."))])),
        )
}

fn user_schema() -> ObjectBuilder {
    object([("email", string("The e-mail address, or the username of who has none.")), ("name", string(""))])
        .property("id", integer("The user's number."))
        .required("id")
        .property("active", boolean("Whether the user can sign in."))
        .required("active")
        .property("customer", object([("id", integer("The tenant's number."))]))
        .required("customer")
}

fn user_with_roles_schema() -> ObjectBuilder {
    user_schema().property("roles", ArrayBuilder::new().items(role_schema())).required("roles")
}

fn claims_schema() -> ObjectBuilder {
    user_with_roles_schema().property("exp", integer("The end of the session, in seconds since 1970.")).required("exp")
}

fn role_schema() -> ObjectBuilder {
    object([("code", string("The role's name.")), ("name", string("What it is called by people."))])
        .property("id", integer("The role's number."))
        .required("id")
}

/// What went wrong, and by field why.
fn error_schema() -> ObjectBuilder {
    object([("error_code", string("")), ("message", string(""))])
        .property("payload", ObjectBuilder::new().schema_type(Type::Object))
}

/// An operation that can fail.
trait WithErrorResponses {
    /// Adds the answers with these statuses.
    fn error_responses(self, statuses: &[u16]) -> Self;
}

impl WithErrorResponses for OperationBuilder {
    fn error_responses(self, statuses: &[u16]) -> Self {
        statuses.iter().fold(self, |operation, status| {
            operation
                .response(status.to_string(), json_response("What went wrong.", Ref::from_schema_name(ERROR_SCHEMA)))
        })
    }
}
