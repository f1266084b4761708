//! The dialect's routes, as the OpenAPI document shows them.

use utoipa::openapi::path::OperationBuilder;
use utoipa::openapi::schema::{
    ArrayBuilder, ComponentsBuilder, KnownFormat, ObjectBuilder, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{HttpMethod, OpenApi, OpenApiBuilder, PathItem, PathsBuilder};

use super::{Release, token_paths};
use crate::config::Mount;
use crate::openapi_builder::{
    ErrorResponses, WithErrorResponses, bearer_auth, boolean, json_body, json_response, object, operation, path_item,
    query_parameter, string,
};

/// What operations fail with.
const ERRORS: ErrorResponses = ErrorResponses {
    schema: "PlantdbFailure",
    descriptions: &[
        (400, "The request is not as it has to be."),
        (401, "The credentials do not hold; `WWW-Authenticate` tells if an access token is what is missing."),
        (403, "The caller may not do this."),
        (404, "The route is switched off."),
        (409, "The name is taken."),
        (
            503,
            "There is more to do than can be done, or nothing can be stored; `Retry-After` says how many seconds to wait.",
        ),
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
    let [validation, token, api_token] = token_paths(release);
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
    let username = string("The name as it is spelled.").min_length(Some(1));
    let found =
        object([("username", string("The name that was asked for.")), ("exists", boolean("Whether it is taken."))]);
    release_operation(release, "exists", "Whether a username is taken.")
        .parameter(query_parameter("username", "The name to look for; the first one counts.", username))
        .response("200", json_response("Whether it is taken.", found))
        .error_responses(&ERRORS, &[400, 404, 429])
}

fn login(release: Release) -> OperationBuilder {
    let credentials =
        object([("username", string("The username, letter for letter.")), ("password", string("The password."))]);
    let session = object([
        ("message", string("")),
        ("user", user_schema()),
        ("access_token", string("Opens the API for a short time: send it as `Authorization: Bearer <token>`.")),
        ("refresh_token", string("Gets the next pair.")),
    ]);
    release_operation(release, "login", "Signs in.")
        .request_body(json_body(credentials))
        .response("200", json_response("A session.", session))
        .error_responses(&ERRORS, &[400, 401, 413, 415, 429, 503])
}

fn logout(release: Release) -> OperationBuilder {
    release_operation(release, "logout", "Ends the session of the access token.")
        .security(bearer_auth())
        .response("200", json_response("It is over.", object([("message", string(""))])))
        .error_responses(&ERRORS, &[401])
}

fn register(release: Release) -> OperationBuilder {
    let account = object([
        ("username", string("A username; it is stored in lower case.")),
        ("fullname", string("What to call the person; may be empty.")),
        ("password", string("A password that meets the policy.")),
    ]);
    release_operation(release, "register", "Makes an account; only administrators may.")
        .security(bearer_auth())
        .request_body(json_body(account))
        .response("201", json_response("The account is there.", object([("message", string(""))])))
        .error_responses(&ERRORS, &[400, 401, 403, 409, 413, 415, 503])
}

fn validate(release: Release) -> OperationBuilder {
    let whose = object([("message", string("")), ("user", user_schema())]);
    release_operation(release, "validateToken", "Whose access token this is.")
        .security(bearer_auth())
        .response("200", json_response("The token holds.", whose))
        .error_responses(&ERRORS, &[401])
}

fn refresh(release: Release) -> OperationBuilder {
    let pair = object([
        ("message", string("")),
        ("access_token", string("Takes the place of the old one, which does not hold any more.")),
        ("refresh_token", string("Gets the next pair.")),
    ]);
    release_operation(release, "refreshToken", "Trades a refresh token for the next pair of tokens.")
        .request_body(json_body(object([("refresh_token", string("The newest refresh token of the session."))])))
        .response("200", json_response("The next pair.", pair))
        .error_responses(&ERRORS, &[400, 401, 413, 415])
}

fn create_api_token(release: Release) -> OperationBuilder {
    let permissions = string("`read`, `write`, `create`, `delete`, or `Permission.READ` and so on.")
        .pattern(Some(r"^[^/,\x00-\x1f\x7f-\x9f]*$"));
    let names = string("The name of a dataset.").pattern(Some(r"^[^\x00-\x1f\x7f-\x9f]*$"));
    let datasets = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property_names(Some(names))
        .description(Some("By the name of datasets, in which `*` stands for anything, what the token is for there."))
        .additional_properties(Some(ArrayBuilder::new().items(permissions)));
    let lifetime = ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Number, Type::String]))
        .minimum(Some(1))
        .pattern(Some("^[0-9]+$"))
        .description(Some("How many seconds it lasts."));
    let wanted = object([("datasets", datasets), ("token_exp", lifetime)]);
    let made = object([
        ("message", string("")),
        ("api_token", string("The token, shown this once: send it as `Authorization: Bearer <token>`.")),
        ("expiration date", string("When it is over.").format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))),
    ]);
    release_operation(release, "createApiToken", "Makes a token for programs; a person's access token is needed.")
        .security(bearer_auth())
        .request_body(json_body(wanted))
        .response("200", json_response("The token.", made))
        .error_responses(&ERRORS, &[400, 401, 403, 413, 415])
}

/// The operation, by its name in this release.
fn release_operation(release: Release, name: &str, summary: &str) -> OperationBuilder {
    let (tag, prefix) = match release {
        Release::Old => ("PlantDB 0.15", "plantdb015"),
        Release::New => ("PlantDB 0.16 and later", "plantdb016"),
    };
    operation(tag, format!("{prefix}.{name}"), summary)
}

fn user_schema() -> ObjectBuilder {
    object([("username", string("")), ("fullname", string("What to call the person; may be empty."))])
}

/// The old text twice, and `false` where the old service said so.
fn error_schema() -> ObjectBuilder {
    let no = || boolean("False, where the old service says so.").enum_values(Some([false]));
    object([("message", string("What is wrong, in the old service's words.")), ("error", string("The same."))])
        .property("authenticated", no())
        .property("success", no())
}
