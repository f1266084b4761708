//! OpenAPI description of the dialect.

use utoipa::openapi::path::{OperationBuilder, Parameter};
use utoipa::openapi::schema::{ArrayBuilder, ComponentsBuilder, ObjectBuilder, Type};
use utoipa::openapi::{HttpMethod, OpenApi, OpenApiBuilder, PathItem, PathsBuilder, Ref, ResponseBuilder};

use crate::config::Mount;
use crate::openapi_builder::{
    bearer_auth, boolean, integer, json_body, json_response, object, operation, optional_query_parameter, path_item,
    path_parameter, string,
};

/// Name of the error's schema in the document.
const ERROR_SCHEMA: &str = "UserApiFailure";

/// The routes at this mount.
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
    let credentials =
        object([("email", string("E-mail address or username, case-sensitive.")), ("password", string(""))]);
    dialect_operation("login", "Signs in: the response sets the token in the cookie `user-api-credentials`, in base64.")
        .request_body(json_body(credentials))
        .response("200", json_response("The user, and the end of the session.", claims_schema()))
        .error_responses(&[401, 403, 413, 415, 422, 429, 503])
}

fn token() -> OperationBuilder {
    dialect_operation("token", "Returns the user of the token; null if it is invalid.")
        .security(bearer_auth())
        .response("200", json_response("The user and the end of the session, or null.", ObjectBuilder::new()))
        .error_responses(&[401, 403])
}

fn logout(name: &str) -> OperationBuilder {
    let summary = "Ends the session. With the cookie alone, a GET must come from a page of this server.";
    dialect_operation(name, summary)
        .security(bearer_auth())
        .response("200", json_response("The session has ended.", object([("message", string(""))])))
        .error_responses(&[403])
}

fn reset_password() -> OperationBuilder {
    let input = object([
        ("email", string("The caller's own, or another user's with the permission.")),
        ("password", string("The new password.")),
    ]);
    dialect_operation("resetPassword", "Sets a password and ends the user's other sessions.")
        .security(bearer_auth())
        .request_body(json_body(input))
        .response("200", json_response("The user; the password is set.", user_schema()))
        .error_responses(&[401, 403, 413, 415, 422, 503])
}

fn list() -> OperationBuilder {
    let page = object([("has_next", boolean("Whether more rows remain."))])
        .property("users", ArrayBuilder::new().items(user_schema()))
        .required("users");
    paged(dialect_operation("listUsers", "Lists the users of the caller's customer; all filters must match."))
        .parameter(filter_parameter("email", "Part of the e-mail address."))
        .parameter(filter_parameter("name", "Part of the name."))
        .response("200", json_response("Users, oldest first.", page))
        .error_responses(&[401, 403, 422])
}

fn create() -> OperationBuilder {
    let input = user_input_schema().required("password").required("roles");
    dialect_operation("createUser", "Creates a user of the caller's customer.")
        .security(bearer_auth())
        .request_body(json_body(input))
        .response("201", json_response("The user.", user_with_roles_schema()))
        .error_responses(&[401, 403, 409, 413, 415, 422, 503])
}

fn get() -> OperationBuilder {
    dialect_operation("getUser", "Returns a user of the caller's customer.")
        .security(bearer_auth())
        .parameter(id_parameter())
        .response("200", json_response("The user.", user_with_roles_schema()))
        .error_responses(&[401, 403, 404])
}

fn update() -> OperationBuilder {
    let input = user_input_schema().property("id", integer("Ignored."));
    dialect_operation("updateUser", "Updates a user of the caller's customer; given roles replace the old ones.")
        .security(bearer_auth())
        .parameter(id_parameter())
        .request_body(json_body(input))
        .response("200", json_response("The updated user.", user_with_roles_schema()))
        .error_responses(&[401, 403, 404, 409, 413, 415, 422, 503])
}

fn roles() -> OperationBuilder {
    let page = object([("has_next", boolean("Whether more rows remain."))])
        .property("roles", ArrayBuilder::new().items(role_schema()))
        .required("roles");
    paged(dialect_operation("listRoles", "Lists the roles."))
        .response("200", json_response("Roles, ordered by id.", page))
        .error_responses(&[401, 403, 422])
}

fn redirect(what: &str) -> OperationBuilder {
    let there = ResponseBuilder::new().description("Redirect to the same path with a trailing slash.");
    dialect_operation(&format!("{what}WithoutSlash"), "Redirects to the path with a trailing slash.")
        .response("308", there)
}

fn dialect_operation(name: &str, summary: &str) -> OperationBuilder {
    operation("user-api", format!("userApi.{name}"), summary)
}

fn paged(operation: OperationBuilder) -> OperationBuilder {
    let rows = |name, text| optional_query_parameter(name, text, integer("").minimum(Some(0)));
    operation
        .security(bearer_auth())
        .parameter(rows("limit", "Maximum number of rows; default 20."))
        .parameter(rows("offset", "Number of rows to skip; default 0."))
}

fn filter_parameter(name: &str, description: &str) -> Parameter {
    optional_query_parameter(name, description, string(""))
}

fn id_parameter() -> Parameter {
    path_parameter("id", "Row id of the user.", integer(""))
}

/// A user in a request.
fn user_input_schema() -> ObjectBuilder {
    object([("email", string("E-mail address or username.")), ("name", string("May be empty."))])
        .property("active", boolean("Whether the user can sign in."))
        .required("active")
        .property("password", string("A password that meets the policy."))
        .property(
            "roles",
            ArrayBuilder::new().items(object([("id", integer("Row id of a role; unknown ones are ignored."))])),
        )
}

fn user_schema() -> ObjectBuilder {
    object([("email", string("E-mail address, or the username of a user without one.")), ("name", string(""))])
        .property("id", integer("Row id of the user."))
        .required("id")
        .property("active", boolean("Whether the user can sign in."))
        .required("active")
        .property("customer", object([("id", integer("Row id of the tenant."))]))
        .required("customer")
}

fn user_with_roles_schema() -> ObjectBuilder {
    user_schema().property("roles", ArrayBuilder::new().items(role_schema())).required("roles")
}

fn claims_schema() -> ObjectBuilder {
    user_with_roles_schema()
        .property("exp", integer("End of the session, in seconds since the Unix epoch."))
        .required("exp")
}

fn role_schema() -> ObjectBuilder {
    object([("code", string("The role's name.")), ("name", string("Display name of the role."))])
        .property("id", integer("Row id of the role."))
        .required("id")
}

/// An error, with details by field in `payload`.
fn error_schema() -> ObjectBuilder {
    object([("error_code", string("")), ("message", string(""))])
        .property("payload", ObjectBuilder::new().schema_type(Type::Object))
}

/// Adds error responses to an operation.
trait WithErrorResponses {
    /// Adds a response for each of `statuses`.
    fn error_responses(self, statuses: &[u16]) -> Self;
}

impl WithErrorResponses for OperationBuilder {
    fn error_responses(self, statuses: &[u16]) -> Self {
        statuses.iter().fold(self, |operation, status| {
            operation.response(status.to_string(), json_response("Error.", Ref::from_schema_name(ERROR_SCHEMA)))
        })
    }
}
