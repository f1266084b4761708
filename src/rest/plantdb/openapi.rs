//! The dialect's routes, as the OpenAPI document shows them.

use utoipa::openapi::path::OperationBuilder;
use utoipa::openapi::schema::{
    ArrayBuilder, ComponentsBuilder, KnownFormat, ObjectBuilder, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{HttpMethod, OpenApi, OpenApiBuilder, PathItem, PathsBuilder};

use super::{Release, token_paths};
use crate::config::Mount;
use crate::rest::openapi::{Fails, Failures, answer, body, flag, in_query, object, operation, route, text, with_token};

/// What operations fail with.
const FAILURES: Failures = Failures {
    form: "PlantdbFailure",
    own: &[
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
pub(in crate::rest) fn describe(mount: &Mount) -> OpenApi {
    let old = routes(Release::Old).map(|(path, item)| (mount.under(path), item));
    let new = routes(Release::New).map(|(path, item)| (mount.under(&format!("/api/v1/auth{path}")), item));
    let paths = old.into_iter().chain(new).fold(PathsBuilder::new(), |paths, (path, item)| paths.path(path, item));
    let components = ComponentsBuilder::new().schema(FAILURES.form, failure());
    OpenApiBuilder::new().paths(paths.build()).components(Some(components.build())).build()
}

fn routes(release: Release) -> [(&'static str, PathItem); 6] {
    let [validation, token, api_token] = token_paths(release);
    let mut logins = route(HttpMethod::Get, exists(release));
    logins.merge_operations(route(HttpMethod::Post, login(release)));
    [
        ("/login", logins),
        ("/logout", route(HttpMethod::Post, logout(release))),
        ("/register", route(HttpMethod::Post, register(release))),
        (validation, route(HttpMethod::Post, validate(release))),
        (token, route(HttpMethod::Post, refresh(release))),
        (api_token, route(HttpMethod::Post, create_api_token(release))),
    ]
}

fn exists(release: Release) -> OperationBuilder {
    let username = text("The name as it is spelled.").min_length(Some(1));
    let found = object([("username", text("The name that was asked for.")), ("exists", flag("Whether it is taken."))]);
    named(release, "exists", "Whether a username is taken.")
        .parameter(in_query("username", "The name to look for; the first one counts.", username))
        .response("200", answer("Whether it is taken.", found))
        .fails(&FAILURES, &[400, 404, 429])
}

fn login(release: Release) -> OperationBuilder {
    let credentials =
        object([("username", text("The username, letter for letter.")), ("password", text("The password."))]);
    let session = object([
        ("message", text("")),
        ("user", person()),
        ("access_token", text("Opens the API for a short time: send it as `Authorization: Bearer <token>`.")),
        ("refresh_token", text("Gets the next pair.")),
    ]);
    named(release, "login", "Signs in.")
        .request_body(body(credentials))
        .response("200", answer("A session.", session))
        .fails(&FAILURES, &[400, 401, 413, 415, 429, 503])
}

fn logout(release: Release) -> OperationBuilder {
    named(release, "logout", "Ends the session of the access token.")
        .security(with_token())
        .response("200", answer("It is over.", object([("message", text(""))])))
        .fails(&FAILURES, &[401])
}

fn register(release: Release) -> OperationBuilder {
    let account = object([
        ("username", text("A username; it is stored in lower case.")),
        ("fullname", text("What to call the person; may be empty.")),
        ("password", text("A password that meets the policy.")),
    ]);
    named(release, "register", "Makes an account; only administrators may.")
        .security(with_token())
        .request_body(body(account))
        .response("201", answer("The account is there.", object([("message", text(""))])))
        .fails(&FAILURES, &[400, 401, 403, 409, 413, 415, 503])
}

fn validate(release: Release) -> OperationBuilder {
    let whose = object([("message", text("")), ("user", person())]);
    named(release, "validateToken", "Whose access token this is.")
        .security(with_token())
        .response("200", answer("The token holds.", whose))
        .fails(&FAILURES, &[401])
}

fn refresh(release: Release) -> OperationBuilder {
    let pair = object([
        ("message", text("")),
        ("access_token", text("Takes the place of the old one, which does not hold any more.")),
        ("refresh_token", text("Gets the next pair.")),
    ]);
    named(release, "refreshToken", "Trades a refresh token for the next pair of tokens.")
        .request_body(body(object([("refresh_token", text("The newest refresh token of the session."))])))
        .response("200", answer("The next pair.", pair))
        .fails(&FAILURES, &[400, 401, 413, 415])
}

fn create_api_token(release: Release) -> OperationBuilder {
    let permissions = text("`read`, `write`, `create`, `delete`, or `Permission.READ` and so on.")
        .pattern(Some(r"^[^/,\x00-\x1f\x7f-\x9f]*$"));
    let names = text("The name of a dataset.").pattern(Some(r"^[^\x00-\x1f\x7f-\x9f]*$"));
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
        ("message", text("")),
        ("api_token", text("The token, shown this once: send it as `Authorization: Bearer <token>`.")),
        ("expiration date", text("When it is over.").format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))),
    ]);
    named(release, "createApiToken", "Makes a token for programs; a person's access token is needed.")
        .security(with_token())
        .request_body(body(wanted))
        .response("200", answer("The token.", made))
        .fails(&FAILURES, &[400, 401, 403, 413, 415])
}

/// The operation, by its name in this release.
fn named(release: Release, name: &str, summary: &str) -> OperationBuilder {
    let (tag, prefix) = match release {
        Release::Old => ("PlantDB 0.15", "plantdb015"),
        Release::New => ("PlantDB 0.16 and later", "plantdb016"),
    };
    operation(tag, format!("{prefix}.{name}"), summary)
}

fn person() -> ObjectBuilder {
    object([("username", text("")), ("fullname", text("What to call the person; may be empty."))])
}

/// The old text twice, and `false` where the old service said so.
fn failure() -> ObjectBuilder {
    let no = || flag("False, where the old service says so.").enum_values(Some([false]));
    object([("message", text("What is wrong, in the old service's words.")), ("error", text("The same."))])
        .property("authenticated", no())
        .property("success", no())
}
