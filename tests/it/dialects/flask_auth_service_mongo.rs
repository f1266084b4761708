//! The auth-service dialect responds like flask_auth_service_mongo: routes, schema, texts.

use std::collections::BTreeMap;

use accountd::dialects::flask_auth_service_mongo::schema::sdl;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};
use axum::http::Method;
use chrono::TimeDelta;
use serde_json::json;

use super::replay::imported_user::create_user;
use super::replay::{Difference, Service, Variables, play};
use crate::graphql::schema::undescribed;
use crate::support::{Actor, TestApp, TestResponse};

mod guards;
mod passwords;
mod sessions;
mod users;

/// The mounts of the recorded service.
const MOUNTS: (&str, &str) =
    ("ACCOUNTD_REST__DIALECTS__FLASK_AUTH_SERVICE_MONGO", "/admin=admin,/any,/public,/mw,/strict,/app=Clerks");

/// A service with the dialect and further settings.
async fn app_with(settings: &[(&str, &str)]) -> TestApp {
    TestApp::with(&[&[MOUNTS][..], settings].concat()).await
}

async fn app() -> TestApp {
    app_with(&[]).await
}

async fn login(app: &TestApp, mount: &str, name: &str, password: &str) -> TestResponse {
    let body = json!({ "username": name, "password": password });
    app.anonymous().json(Method::POST, &format!("{mount}/login"), &body).await
}

async fn graphql(actor: &Actor, mount: &str, query: &str) -> TestResponse {
    actor.json(Method::POST, &format!("{mount}/graphql"), &json!({ "query": query })).await
}

/// The message of the only error of a response.
fn message(answer: &TestResponse) -> String {
    let json = answer.json();
    let message = json["message"].as_str().or(json["errors"][0]["message"].as_str());
    message.unwrap_or_else(|| panic!("no message in {json}")).to_owned()
}

#[rustfmt::skip]
const DIFFERENCES: &[Difference] = &[
    ("login_form", 415, "Did not attempt to load JSON data", NO_SERVER_ERROR),
    ("login_no_body", 415, "Did not attempt to load JSON data", NO_SERVER_ERROR),
    ("login_inactive_user_succeeds", 400, r#"{"message":"bad_credentials"}"#, "a disabled user is refused like a wrong password"),
    ("protected_ok", 200, "__typename", "the route is the application's own"),
    ("gql_update_password_missing_field", 400, r#"field \"password_confirmed\""#, "the recorded text repeats passwords"),
    ("gql_public_update_password_anonymous", 401, r#"{"message":"unauthorized"}"#, DENIED_INSTEAD_OF),
    ("gql_create_user_by_user_role_any_endpoint", 200, r#""message":"unauthorized""#, DENIED_INSTEAD_OF),
    ("gql_mw_create_user_denied", 200, r#""message":"unauthorized""#, DENIED_INSTEAD_OF),
    ("gql_users", 200, r#""endCursor":"YXJyYXljb25uZWN0aW9uOjQ=""#, "permissions are accountd's own, and a denied mutation created no user"),
    ("gql_users_password_hidden", 400, r#"Cannot query field \"password\" on type \"User\"."#, "fewer suggestions"),
    ("gql_unknown_field", 400, r#"Cannot query field \"nope\" on type \"Query\"."#, "fewer suggestions"),
    ("gql_roles", 200, r#""permissions":"{}""#, "permissions are accountd's own"),
    ("gql_reset_password_ok", 200, r#"{"data":{"reset_password":{"password":""#, "the password is from the secure generator, and longer"),
    ("gql_refresh_token_old_access_still_valid", 401, r#"{"message":"password_change_required"}"#, "change_password blocks everything else, as recorded at /strict"),
    ("gql_refresh_anonymous", 401, r#"{"message":"unauthorized"}"#, DENIED_INSTEAD_OF),
    ("gql_syntax_error", 400, "Syntax Error GraphQL (1:11) expected", "the recorded text repeats the query, including passwords"),
];

const NO_SERVER_ERROR: &str = "no client input causes a 500";
const DENIED_INSTEAD_OF: &str = "a denied mutation returns an error";

/// flask_auth_service_mongo, with the variables for tokens that the recording could not contain.
struct AuthService(Variables);

/// Recorded passwords that today's policy refuses, and their replacements.
const STRONGER: [(&str, &str); 6] = [
    ("secret", "quiet-garden-kestrel-81"),
    ("new_pass", "amber-lantern-orbit-17"),
    ("trinity", "violet-harbour-finch-29"),
    ("aaa", "copper-meadow-thistle-43"),
    ("aaaa", "silver-canyon-heron-57"),
    ("abc", "crimson-tundra-falcon-63"),
];

impl Service for AuthService {
    const RECORDED: &'static str = include_str!("fixtures/auth-service.json");

    /// The recorded application's own route required the same authentication as the schema.
    fn path(&self, path: &str) -> String {
        if path == "/protected" { "/admin/graphql?query=%7B__typename%7D".to_owned() } else { path.to_owned() }
    }

    async fn before(&mut self, _: &TestApp, _: &str, variables: &mut Variables) {
        variables.extend(self.0.clone());
        for (weak, strong) in STRONGER {
            // By itself, and within a query.
            variables.insert(format!("\"{weak}\""), format!("\"{strong}\""));
            variables.insert(format!("\\\"{weak}\\\""), format!("\\\"{strong}\\\""));
        }
    }
}

#[tokio::test]
async fn auth_service_responds_as_recorded() {
    let app = app_with(&[("ACCOUNTD_TOKEN__ACCESS_LIFETIME_SECONDS", "3600")]).await;
    let now = app.app.clock.now();
    let later = |seconds: i64| {
        move |row: &mut accountd::store::users::NewRow| {
            row.created_at = (now + TimeDelta::seconds(seconds)).into();
        }
    };
    create_user(&app, "admin", STRONGER[0].1, &["admin"], later(0)).await;
    let root = app.login("admin", STRONGER[0].1).await;
    root.mutate_ok("saveRole", json!({ "name": "user", "permissions": [] }), "role { id }").await;
    create_user(&app, "joe", "joepw", &["user"], later(1)).await;
    create_user(&app, "off", "offpw", &["admin"], later(2)).await;
    let expired = app.login("off", "offpw").await;
    create_user(&app, "chg", "chgpw", &["user"], |row| {
        later(3)(row);
        row.must_change_password = true;
    })
    .await;
    app.clock.advance(TimeDelta::days(15));
    let (root, off) = (app.login("admin", STRONGER[0].1).await, app.login("off", "offpw").await);
    let gone = app.login("admin", STRONGER[0].1).await;
    gone.mutate_ok("logout", json!({}), "ok").await;
    root.mutate_ok("setUserStatus", json!({ "userId": off.id, "status": "DISABLED" }), "user { id }").await;
    let made = [
        ("<var:expired>", expired.token.clone()),
        ("<var:expired_r>", expired.refresh_token.clone()),
        ("<var:notlisted>", gone.token.clone()),
        ("<var:off>", off.token.clone()),
    ];
    let made = made.into_iter().map(|(name, token)| (name.to_owned(), token.unwrap())).collect();
    play(&app, &mut AuthService(made), DIFFERENCES).await;
}

/// Every named element of a schema with its type: fields, arguments, input members, interfaces.
fn shape(sdl: &str) -> BTreeMap<String, String> {
    let mut shape = BTreeMap::new();
    for definition in parse_schema(sdl).unwrap().definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let name = definition.node.name.node.to_string();
        let (kind, fields) = match &definition.node.kind {
            TypeKind::Object(object) => {
                let mut implements: Vec<_> = object.implements.iter().map(|one| one.node.to_string()).collect();
                implements.sort();
                (format!("type {implements:?}"), object.fields.as_slice())
            }
            TypeKind::Interface(interface) => ("interface".to_owned(), interface.fields.as_slice()),
            TypeKind::InputObject(object) => {
                let members = object.fields.iter().map(|field| &field.node);
                shape.extend(members.map(|field| (format!("{name}.{}", field.name.node), field.ty.node.to_string())));
                ("input".to_owned(), &[][..])
            }
            TypeKind::Scalar => ("scalar".to_owned(), &[][..]),
            TypeKind::Union(_) | TypeKind::Enum(_) => ("another kind".to_owned(), &[][..]),
        };
        for field in fields.iter().map(|field| &field.node) {
            let mount = format!("{name}.{}", field.name.node);
            let arguments = field.arguments.iter().map(|argument| &argument.node);
            shape.extend(arguments.map(|one| (format!("{mount}({})", one.name.node), one.ty.node.to_string())));
            shape.insert(mount, field.ty.node.to_string());
        }
        shape.insert(name, kind);
    }
    // Every schema has them.
    shape.retain(|name, _| !["Int", "Boolean", "String", "ID", "Float"].contains(&name.as_str()));
    shape
}

#[test]
fn auth_service_schema_equals_the_recorded_schema() {
    let (old, own) = (shape(include_str!("fixtures/auth-service.graphql")), shape(&sdl()));
    let differing: Vec<_> = old.iter().filter(|(name, kind)| own.get(*name) != Some(kind)).collect();
    let added: Vec<_> = own.iter().filter(|(name, _)| !old.contains_key(*name)).collect();
    assert!(differing.is_empty() && added.is_empty(), "differs: {differing:?}; added: {added:?}");
    assert!(old.len() > 80, "{}", old.len());
}

#[test]
fn auth_service_schema_is_fully_described() {
    assert_eq!(undescribed(&sdl()), [""; 0], "without description");
}
