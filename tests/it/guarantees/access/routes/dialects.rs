//! The rows of the dialect routes.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{PUBLIC, Row, TYPENAME, login, nothing, row, typename};
use crate::guarantees::access::actors::ActorKind;
use crate::support::{Actor, PASSWORD};

fn register(who: ActorKind, _: &Actor) -> Value {
    json!({ "username": format!("new-{who:?}"), "fullname": "New", "password": PASSWORD })
}

/// The refresh token is the credential here.
fn refresh(_: ActorKind, actor: &Actor) -> Value {
    actor.refresh_token.as_ref().map_or(json!({}), |token| json!({ "refresh_token": token }))
}

/// Every user may create tokens for themselves.
fn api_token(_: ActorKind, _: &Actor) -> Value {
    json!({ "token_exp": 60, "datasets": { "ds_*": ["read"] } })
}

/// A new password for the owner.
fn reset(_: ActorKind, _: &Actor) -> Value {
    json!({ "email": "ann", "password": "another-horse-battery-8" })
}

fn user_input(who: ActorKind, _: &Actor) -> Value {
    json!({ "email": format!("new-{who:?}"), "name": "New", "password": PASSWORD, "active": true, "roles": [] })
}

fn changed(_: ActorKind, _: &Actor) -> Value {
    json!({ "email": "ann@example.org", "name": "Changed", "active": true })
}

/// An unused name.
fn new_user(who: ActorKind, _: &Actor) -> Value {
    json!({ "username": format!("newcomer-{who:?}"), "password": PASSWORD })
}

/// The path of the owner by row id: the sixth user of the fixture.
const ANN: &str = "/api/users/6";

const FLASK_ANN: &str = "/flask/user/6";

/// The same credentials in a header.
fn basic() -> Vec<(&'static str, String)> {
    vec![("authorization", format!("Basic {}", STANDARD.encode(format!("eve:{PASSWORD}"))))]
}

/// The version of the owner's user in the dialect's format.
fn response_status(_: ActorKind, _: &Actor) -> Value {
    json!({ "version": 1, "lastLoginTime": "2018-07-29T11:59:29-05:00" })
}

const SIGNED_IN: [u16; 6] = [401, 200, 200, 200, 200, 401];

const ADMINS: [u16; 6] = [401, 403, 403, 201, 201, 401];

const READERS: [u16; 6] = [401, 403, 403, 200, 200, 401];

/// The same, with the error of an anonymous caller.
const ADMINISTRATORS: [u16; 6] = [401, 401, 401, 200, 200, 401];

const OF_THE_OWNER: [u16; 6] = [401, 404, 200, 200, 404, 401];

/// One release of PlantDB: its token routes and its error without refresh token.
fn plantdb(at: &str, [validation, refreshing, making]: [&str; 3], without: u16) -> Vec<Row> {
    vec![
        row(format!("GET {at}/login"), nothing, PUBLIC).at(format!("{at}/login?username=eve")),
        row(format!("POST {at}/login"), login, PUBLIC),
        row(format!("POST {at}/logout"), nothing, SIGNED_IN),
        row(format!("POST {at}/register"), register, ADMINS),
        row(format!("POST {at}{validation}"), nothing, SIGNED_IN),
        row(format!("POST {at}{refreshing}"), refresh, [without, 200, 200, 200, 200, 401]),
        row(format!("POST {at}{making}"), api_token, SIGNED_IN),
    ]
}

fn tecladocode() -> Vec<Row> {
    vec![
        row("POST /flask/register", new_user, [201; 6]),
        row("POST /flask/login", login, PUBLIC),
        // An access token is no refresh token.
        row("POST /flask/refresh", nothing, [401; 6]),
        row("POST /flask/logout", nothing, SIGNED_IN),
        row("GET /flask/user/{id}", nothing, [401, 404, 200, 200, 404, 401]).at(FLASK_ANN),
        row("DELETE /flask/user/{id}", nothing, [401, 404, 200, 404, 404, 401]).at(FLASK_ANN),
    ]
}

fn user_api() -> Vec<Row> {
    vec![
        row("POST /api/users/login", |_, _| json!({ "email": "eve", "password": PASSWORD }), PUBLIC),
        // An invalid token belongs to no user: null.
        row("GET /api/users/token", nothing, [401, 200, 200, 200, 200, 200]),
        row("GET /api/users/logout", nothing, PUBLIC),
        row("POST /api/users/logout", nothing, PUBLIC),
        row("POST /api/users/reset-password", reset, [401, 403, 200, 200, 422, 401]),
        row("GET /api/users/", nothing, READERS),
        row("POST /api/users/", user_input, ADMINS),
        row("GET /api/users/{id}", nothing, [401, 403, 403, 200, 404, 401]).at(ANN),
        row("PUT /api/users/{id}", changed, [401, 403, 403, 200, 404, 401]).at(ANN),
        row("GET /api/roles/", nothing, READERS),
        row("GET /api/users", nothing, [308; 6]),
        row("POST /api/users", nothing, [308; 6]),
        row("GET /api/roles", nothing, [308; 6]),
    ]
}

fn corvus() -> Vec<Row> {
    vec![
        Row { headers: basic, ..row("POST /auth/login", nothing, PUBLIC) },
        row("POST /auth/bump", nothing, SIGNED_IN),
        row("POST /auth/logout", nothing, SIGNED_IN),
        row("GET /user", nothing, READERS),
        row("GET /user/{name}", nothing, OF_THE_OWNER).at("/user/ann"),
        row("PATCH /user/{name}", response_status, [401, 404, 403, 200, 404, 401]).at("/user/ann"),
    ]
}

/// One mount of auth-service with its statuses.
fn auth_service(at: &str, login: fn(ActorKind, &Actor) -> Value, statuses: [u16; 6]) -> Vec<Row> {
    vec![
        row(format!("POST {at}/login"), login, PUBLIC),
        row(format!("POST {at}/logout"), nothing, statuses),
        row(format!("GET {at}/graphql"), nothing, statuses).at(format!("{at}/graphql?{TYPENAME}")),
        row(format!("POST {at}/graphql"), typename, statuses),
    ]
}

/// Every dialect route returns its methods to every caller.
pub(super) fn options(rows: &[Row]) -> Vec<Row> {
    let paths: BTreeSet<&str> = rows.iter().map(|row| row.route.split_once(' ').unwrap().1).collect();
    paths.into_iter().map(|path| row(format!("OPTIONS {path}"), nothing, PUBLIC)).collect()
}

/// The routes of all dialects, without OPTIONS.
pub fn dialect_rows() -> Vec<Row> {
    let root = |_, _: &Actor| json!({ "username": "root", "password": PASSWORD });
    [
        plantdb("", ["/token-validation", "/token-refresh", "/create-api-token"], 400),
        plantdb("/api/v1/auth", ["/token/validation", "/token/refresh", "/token/create-api-token"], 401),
        tecladocode(),
        user_api(),
        corvus(),
        // One mount for administrators, and one for all users.
        auth_service("/admin", root, ADMINISTRATORS),
        auth_service("/app", login, SIGNED_IN),
    ]
    .into_iter()
    .flatten()
    .collect()
}
