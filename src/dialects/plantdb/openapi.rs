//! OpenAPI description of the dialect.

use utoipa::openapi::path::OperationBuilder;
use utoipa::openapi::schema::{
    ArrayBuilder, ComponentsBuilder, KnownFormat, ObjectBuilder, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{HttpMethod, OpenApi, OpenApiBuilder, PathItem, PathsBuilder};

use super::release::Release;
use crate::config::Mount;
use crate::openapi_builder::{
    ErrorResponses, WithErrorResponses, bearer_auth, boolean, json_body, json_response, object, operation, path_item,
    query_parameter, string,
};

/// Error responses.
const ERRORS: ErrorResponses = ErrorResponses {
    schema: "PlantdbFailure",
    descriptions: &[
        (400, "The request is malformed."),
        (401, "The credentials are invalid; `WWW-Authenticate` is set if an access token is required."),
        (403, "The caller lacks the permission."),
        (404, "The route is disabled."),
        (409, "The username is taken."),
        (503, "The server is overloaded or the database unavailable; `Retry-After` gives the seconds to wait."),
    ],
};

/// The routes of both releases.
pub(in crate::dialects) fn describe(mount: &Mount) -> OpenApi {
    let old = routes(Release::Old).map(|(path, item)| (mount.join(path), item));
    let new = routes(Release::New).map(|(path, item)| (mount.join(&format!("/api/v1/auth{path}")), item));
    let paths = old.into_iter().chain(new).fold(PathsBuilder::new(), |paths, (path, item)| paths.path(path, item));
    let components = ComponentsBuilder::new().schema(ERRORS.schema, error_schema());
    OpenApiBuilder::new().paths(paths.build()).components(Some(components.build())).build()
}

fn routes(release: Release) -> [(&'static str, PathItem); 6] {
    let [validation, token, api_token] = release.token_paths();
    let mut logins = path_item(HttpMethod::Get, exists(release));
    logins.merge_operations(path_item(HttpMethod::Post, login(release)));
    [
        ("/login", logins),
        ("/logout", path_item(HttpMethod::Post, logout(release))),
        ("/register", path_item(HttpMethod::Post, register(release))),
        (validation, path_item(HttpMethod::Post, validate(release))),
        (token, path_item(HttpMethod::Post, refresh(release))),
        (api_token, path_item(HttpMethod::Post, create_api_token(release))),
    ]
}

fn exists(release: Release) -> OperationBuilder {
    let username = string("The username, case-sensitive.").min_length(Some(1));
    let found = object([
        ("username", string("The requested username.")),
        ("exists", boolean("Whether the username is taken.")),
    ]);
    release_operation(release, "exists", "Whether a username is taken.")
        .parameter(query_parameter("username", "The username to check; the first value counts.", username))
        .response("200", json_response("Whether the username is taken.", found))
        .error_responses(&ERRORS, &[400, 404, 429])
}

fn login(release: Release) -> OperationBuilder {
    let credentials =
        object([("username", string("The username, case-sensitive.")), ("password", string("The password."))]);
    let session = object([
        ("message", string("")),
        ("user", user_schema()),
        ("access_token", string("Short-lived access token: send it as `Authorization: Bearer <token>`.")),
        ("refresh_token", string("Pass it to the refresh route to get the next token pair.")),
    ]);
    release_operation(release, "login", "Signs in.")
        .request_body(json_body(credentials))
        .response("200", json_response("A session.", session))
        .error_responses(&ERRORS, &[400, 401, 413, 415, 429, 503])
}

fn logout(release: Release) -> OperationBuilder {
    release_operation(release, "logout", "Ends the session of the access token.")
        .security(bearer_auth())
        .response("200", json_response("The session has ended.", object([("message", string(""))])))
        .error_responses(&ERRORS, &[401])
}

fn register(release: Release) -> OperationBuilder {
    let user = object([
        ("username", string("The username; stored in lower case.")),
        ("fullname", string("Display name; may be empty.")),
        ("password", string("A password that meets the policy.")),
    ]);
    release_operation(release, "register", "Creates a user; requires an administrator.")
        .security(bearer_auth())
        .request_body(json_body(user))
        .response("201", json_response("The user was created.", object([("message", string(""))])))
        .error_responses(&ERRORS, &[400, 401, 403, 409, 413, 415, 503])
}

fn validate(release: Release) -> OperationBuilder {
    let validation = object([("message", string("")), ("user", user_schema())]);
    release_operation(release, "validateToken", "Returns the user of the access token.")
        .security(bearer_auth())
        .response("200", json_response("The token is valid.", validation))
        .error_responses(&ERRORS, &[401])
}

fn refresh(release: Release) -> OperationBuilder {
    let pair = object([
        ("message", string("")),
        ("access_token", string("Replaces the old access token, which is no longer valid.")),
        ("refresh_token", string("Pass it to the refresh route to get the next token pair.")),
    ]);
    release_operation(release, "refreshToken", "Exchanges a refresh token for the next token pair.")
        .request_body(json_body(object([("refresh_token", string("The latest refresh token of the session."))])))
        .response("200", json_response("The next token pair.", pair))
        .error_responses(&ERRORS, &[400, 401, 413, 415])
}

fn create_api_token(release: Release) -> OperationBuilder {
    let permissions = string("`read`, `write`, `create`, `delete`, or `Permission.READ` and so on.")
        .pattern(Some(r"^[^/,\x00-\x1f\x7f-\x9f]*$"));
    let names = string("Name of a dataset.").pattern(Some(r"^[^\x00-\x1f\x7f-\x9f]*$"));
    let datasets = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property_names(Some(names))
        .description(Some("Permissions of the token by dataset name; `*` matches anything."))
        .additional_properties(Some(ArrayBuilder::new().items(permissions)));
    let lifetime = ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Number, Type::String]))
        .minimum(Some(1))
        .pattern(Some("^[0-9]+$"))
        .description(Some("Lifetime in seconds."));
    let request = object([("datasets", datasets), ("token_exp", lifetime)]);
    let response = object([
        ("message", string("")),
        ("api_token", string("The token, returned only once: send it as `Authorization: Bearer <token>`.")),
        ("expiration date", string("Expiry time.").format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))),
    ]);
    release_operation(release, "createApiToken", "Creates an API token; requires the access token of a session.")
        .security(bearer_auth())
        .request_body(json_body(request))
        .response("200", json_response("The token.", response))
        .error_responses(&ERRORS, &[400, 401, 403, 413, 415])
}

/// An operation with the tag and id prefix of this release.
fn release_operation(release: Release, name: &str, summary: &str) -> OperationBuilder {
    let (tag, prefix) = match release {
        Release::Old => ("PlantDB 0.15", "plantdb015"),
        Release::New => ("PlantDB 0.16 and later", "plantdb016"),
    };
    operation(tag, format!("{prefix}.{name}"), summary)
}

fn user_schema() -> ObjectBuilder {
    object([("username", string("")), ("fullname", string("Display name; may be empty."))])
}

/// The old service's text twice, and `false` where the old service sent it.
fn error_schema() -> ObjectBuilder {
    let no = || boolean("Always false; only on routes where the old service sent it.").enum_values(Some([false]));
    object([("message", string("Error text of the old service.")), ("error", string("The same text."))])
        .property("authenticated", no())
        .property("success", no())
}
