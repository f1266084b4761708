//! The table of routes, held against the router.

use std::collections::BTreeSet;

use axum::Router;
use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::world::{ACTORS, Who, World};
use crate::support::{Actor, PASSWORD};

/// One way to call a route.
struct Row {
    /// Method and route, as the router has it.
    route: &'static str,
    /// The path with its query, if it differs from the route.
    path: Option<&'static str>,
    /// Headers beside those of the actor.
    headers: fn() -> Vec<(&'static str, String)>,
    /// The body, as JSON; null is none.
    body: fn(Who, &Actor) -> Value,
    /// The status, in the order of [`ACTORS`].
    statuses: [u16; 6],
}

fn nothing(_: Who, _: &Actor) -> Value {
    Value::Null
}

/// Everybody may try a pair of name and password; the credentials that come along are not looked at.
fn login(_: Who, _: &Actor) -> Value {
    json!({ "username": "eve", "password": PASSWORD })
}

fn register(who: Who, _: &Actor) -> Value {
    json!({ "username": format!("new-{who:?}"), "fullname": "New", "password": PASSWORD })
}

/// The refresh token is the credential here.
fn refresh(_: Who, actor: &Actor) -> Value {
    actor.refresh_token.as_ref().map_or(json!({}), |token| json!({ "refresh_token": token }))
}

/// Everybody may have tokens for themselves.
fn api_token(_: Who, _: &Actor) -> Value {
    json!({ "token_exp": 60, "datasets": { "ds_*": ["read"] } })
}

/// A password for the owner.
fn reset(_: Who, _: &Actor) -> Value {
    json!({ "email": "ann", "password": "another-horse-battery-8" })
}

fn person(who: Who, _: &Actor) -> Value {
    json!({ "email": format!("new-{who:?}"), "name": "New", "password": PASSWORD, "active": true, "roles": [] })
}

fn changed(_: Who, _: &Actor) -> Value {
    json!({ "email": "ann@example.org", "name": "Changed", "active": true })
}

/// A name that nobody has.
fn newcomer(who: Who, _: &Actor) -> Value {
    json!({ "username": format!("newcomer-{who:?}"), "password": PASSWORD })
}

/// Where the owner is by number, as the sixth account that the world makes.
const ANN: Option<&str> = Some("/api/users/6");
const FLASK_ANN: Option<&str> = Some("/flask/user/6");

/// The same pair in a header.
fn basic() -> Vec<(&'static str, String)> {
    vec![("authorization", format!("Basic {}", STANDARD.encode(format!("eve:{PASSWORD}"))))]
}

/// The version of the owner's account, as the dialect counts.
fn seen(_: Who, _: &Actor) -> Value {
    json!({ "version": 1, "lastLoginTime": "2018-07-29T11:59:29-05:00" })
}

// anonymous, user, owner, admin, admin of another tenant, disabled user
const ANYBODY: [u16; 6] = [200; 6];
const SIGNED_IN: [u16; 6] = [401, 200, 200, 200, 200, 401];
const ADMINS: [u16; 6] = [401, 403, 403, 201, 201, 401];
const READERS: [u16; 6] = [401, 403, 403, 200, 200, 401];
/// The same without being told more than a stranger.
const ADMINISTRATORS: [u16; 6] = [401, 401, 401, 200, 200, 401];
const OF_THE_OWNER: [u16; 6] = [401, 404, 200, 200, 404, 401];

const ADMIN_QUERY: &str = "/admin/graphql?query=%7B__typename%7D";

/// The whole table, with all dialects mounted.
fn rows() -> Vec<Row> {
    let row = |route, body, statuses| Row { route, path: None, headers: Vec::new, body, statuses };
    vec![
        // What the operations behind it do is the other table's.
        Row { path: Some("/graphql?query=%7B__typename%7D"), ..row("GET /graphql", nothing, ANYBODY) },
        row("POST /graphql", |_, _| json!({ "query": "{ __typename }" }), ANYBODY),
        row("GET /healthz", nothing, ANYBODY),
        row("GET /readyz", nothing, ANYBODY),
        row("GET /.well-known/jwks.json", nothing, ANYBODY),
        row("GET /openapi.json", nothing, ANYBODY),
        row("GET /.well-known/revocations", nothing, ANYBODY),
        row("POST /introspect", nothing, [401; 6]),
        // What browsers load, for everybody alike; a file that is not there, because builds without the console have none.
        row("GET /", nothing, ANYBODY),
        Row { path: Some("/assets/none.js"), ..row("GET /assets/{file}", nothing, [404; 6]) },
        Row { path: Some("/client/none.js"), ..row("GET /client/{file}", nothing, [404; 6]) },
        // The PlantDB dialect, as in 0.15.
        Row { path: Some("/login?username=eve"), ..row("GET /login", nothing, ANYBODY) },
        row("POST /login", login, ANYBODY),
        row("OPTIONS /login", nothing, ANYBODY),
        row("POST /logout", nothing, SIGNED_IN),
        row("OPTIONS /logout", nothing, ANYBODY),
        row("POST /register", register, ADMINS),
        row("OPTIONS /register", nothing, ANYBODY),
        row("POST /token-validation", nothing, SIGNED_IN),
        row("OPTIONS /token-validation", nothing, ANYBODY),
        row("POST /token-refresh", refresh, [400, 200, 200, 200, 200, 401]),
        row("OPTIONS /token-refresh", nothing, ANYBODY),
        row("POST /create-api-token", api_token, SIGNED_IN),
        row("OPTIONS /create-api-token", nothing, ANYBODY),
        // The same as in 0.16 and later.
        Row { path: Some("/api/v1/auth/login?username=eve"), ..row("GET /api/v1/auth/login", nothing, ANYBODY) },
        row("POST /api/v1/auth/login", login, ANYBODY),
        row("OPTIONS /api/v1/auth/login", nothing, ANYBODY),
        row("POST /api/v1/auth/logout", nothing, SIGNED_IN),
        row("OPTIONS /api/v1/auth/logout", nothing, ANYBODY),
        row("POST /api/v1/auth/register", register, ADMINS),
        row("OPTIONS /api/v1/auth/register", nothing, ANYBODY),
        row("POST /api/v1/auth/token/validation", nothing, SIGNED_IN),
        row("OPTIONS /api/v1/auth/token/validation", nothing, ANYBODY),
        row("POST /api/v1/auth/token/refresh", refresh, [401, 200, 200, 200, 200, 401]),
        row("OPTIONS /api/v1/auth/token/refresh", nothing, ANYBODY),
        row("POST /api/v1/auth/token/create-api-token", api_token, SIGNED_IN),
        row("OPTIONS /api/v1/auth/token/create-api-token", nothing, ANYBODY),
        // The tecladocode dialect.
        row("POST /flask/register", newcomer, [201; 6]),
        row("OPTIONS /flask/register", nothing, ANYBODY),
        row("POST /flask/login", login, ANYBODY),
        row("OPTIONS /flask/login", nothing, ANYBODY),
        // An access token is no refresh token.
        row("POST /flask/refresh", nothing, [401; 6]),
        row("OPTIONS /flask/refresh", nothing, ANYBODY),
        row("POST /flask/logout", nothing, SIGNED_IN),
        row("OPTIONS /flask/logout", nothing, ANYBODY),
        Row { path: FLASK_ANN, ..row("GET /flask/user/{id}", nothing, [401, 404, 200, 200, 404, 401]) },
        Row { path: FLASK_ANN, ..row("DELETE /flask/user/{id}", nothing, [401, 404, 200, 404, 404, 401]) },
        row("OPTIONS /flask/user/{id}", nothing, ANYBODY),
        // The user-api dialect.
        row("POST /api/users/login", |_, _| json!({ "email": "eve", "password": PASSWORD }), ANYBODY),
        row("OPTIONS /api/users/login", nothing, ANYBODY),
        // A token that does not hold is nobody's: null.
        row("GET /api/users/token", nothing, [401, 200, 200, 200, 200, 200]),
        row("OPTIONS /api/users/token", nothing, ANYBODY),
        row("GET /api/users/logout", nothing, ANYBODY),
        row("POST /api/users/logout", nothing, ANYBODY),
        row("OPTIONS /api/users/logout", nothing, ANYBODY),
        row("POST /api/users/reset-password", reset, [401, 403, 200, 200, 422, 401]),
        row("OPTIONS /api/users/reset-password", nothing, ANYBODY),
        row("GET /api/users/", nothing, READERS),
        row("POST /api/users/", person, ADMINS),
        row("OPTIONS /api/users/", nothing, ANYBODY),
        Row { path: ANN, ..row("GET /api/users/{id}", nothing, [401, 403, 403, 200, 404, 401]) },
        Row { path: ANN, ..row("PUT /api/users/{id}", changed, [401, 403, 403, 200, 404, 401]) },
        row("OPTIONS /api/users/{id}", nothing, ANYBODY),
        row("GET /api/roles/", nothing, READERS),
        row("OPTIONS /api/roles/", nothing, ANYBODY),
        row("GET /api/users", nothing, [308; 6]),
        row("POST /api/users", nothing, [308; 6]),
        row("OPTIONS /api/users", nothing, ANYBODY),
        row("GET /api/roles", nothing, [308; 6]),
        row("OPTIONS /api/roles", nothing, ANYBODY),
        // The Corvus dialect.
        Row { headers: basic, ..row("POST /auth/login", nothing, ANYBODY) },
        row("OPTIONS /auth/login", nothing, ANYBODY),
        row("POST /auth/bump", nothing, SIGNED_IN),
        row("OPTIONS /auth/bump", nothing, ANYBODY),
        row("POST /auth/logout", nothing, SIGNED_IN),
        row("OPTIONS /auth/logout", nothing, ANYBODY),
        row("GET /user", nothing, [401, 403, 403, 200, 200, 401]),
        row("OPTIONS /user", nothing, ANYBODY),
        Row { path: Some("/user/ann"), ..row("GET /user/{name}", nothing, OF_THE_OWNER) },
        Row { path: Some("/user/ann"), ..row("PATCH /user/{name}", seen, [401, 404, 403, 200, 404, 401]) },
        Row { path: Some("/user/ann"), ..row("OPTIONS /user/{name}", nothing, ANYBODY) },
        // The auth-service dialect, in a place for administrators and in one for everybody.
        row("POST /admin/login", |_, _| json!({ "username": "root", "password": PASSWORD }), ANYBODY),
        row("OPTIONS /admin/login", nothing, ANYBODY),
        row("POST /admin/logout", nothing, ADMINISTRATORS),
        row("OPTIONS /admin/logout", nothing, ANYBODY),
        Row { path: Some(ADMIN_QUERY), ..row("GET /admin/graphql", nothing, ADMINISTRATORS) },
        row("POST /admin/graphql", |_, _| json!({ "query": "{ __typename }" }), ADMINISTRATORS),
        row("OPTIONS /admin/graphql", nothing, ANYBODY),
        row("POST /app/login", login, ANYBODY),
        row("OPTIONS /app/login", nothing, ANYBODY),
        row("POST /app/logout", nothing, SIGNED_IN),
        row("OPTIONS /app/logout", nothing, ANYBODY),
        Row { path: Some("/app/graphql?query=%7B__typename%7D"), ..row("GET /app/graphql", nothing, SIGNED_IN) },
        row("POST /app/graphql", |_, _| json!({ "query": "{ __typename }" }), SIGNED_IN),
        row("OPTIONS /app/graphql", nothing, ANYBODY),
    ]
}

/// The paths of a router. It tells them in its `Debug` form alone, as `path_router: … {RouteId(0): "/a", …}`.
pub fn paths(router: &Router) -> BTreeSet<String> {
    let text = format!("{router:?}");
    let (routes, _) = text.split_once("fallback_router").unwrap();
    let paths = routes.split("RouteId(").filter_map(|entry| entry.split_once("): \"")?.1.split_once('"'));
    paths.map(|(path, _)| path.to_owned()).collect()
}

#[test]
fn a_router_tells_its_paths() {
    let inner = || Router::new().route("/b/{id}", axum::routing::post(async || ()));
    let router = Router::new().route("/a", axum::routing::get(async || ())).merge(inner()).nest("/c", inner());
    let layered = router.fallback(async || ()).layer(axum::Extension(1));
    assert_eq!(paths(&layered), ["/a", "/b/{id}", "/c/b/{id}"].map(str::to_owned).into());
}

/// Every `METHOD /path` that the running router takes. HEAD goes with GET.
async fn routed(world: &World) -> BTreeSet<String> {
    let methods =
        [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS, Method::TRACE];
    let mut routed = BTreeSet::new();
    for path in paths(&world.app.router) {
        // Whatever stands in for a parameter.
        let asked: Vec<_> = path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect();
        for method in &methods {
            let answer = world.app.anonymous().request(method.clone(), &asked.join("/"), &[], "").await;
            if answer.status != 405 {
                routed.insert(format!("{method} {path}"));
            }
        }
    }
    routed
}

#[tokio::test]
async fn the_table_lists_what_the_router_has() {
    let routed = routed(&World::new().await).await;
    let listed: BTreeSet<String> = rows().iter().map(|row| row.route.to_owned()).collect();
    let missing: Vec<_> = routed.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&routed).collect();
    assert!(missing.is_empty() && gone.is_empty(), "without a row: {missing:?}; rows of nothing: {gone:?}");
}

#[tokio::test]
async fn everybody_gets_the_status_that_the_table_says() {
    let mut wrong = Vec::new();
    for row in rows() {
        let world = World::new().await;
        let (method, route) = row.route.split_once(' ').unwrap();
        for who in ACTORS {
            let status = row.statuses[ACTORS.iter().position(|actor| *actor == who).unwrap()];
            let actor = world.actor(who);
            let body = (row.body)(who, &actor);
            let own = (row.headers)();
            let mut headers: Vec<(&str, &str)> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let body = match &body {
                Value::Null => String::new(),
                body => {
                    headers.push(("content-type", "application/json"));
                    body.to_string()
                }
            };
            let before = world.rows().await;
            let path = row.path.unwrap_or(route);
            let answer = actor.request(method.parse().unwrap(), path, &headers, body).await;
            if answer.status.as_u16() != status {
                wrong.push(format!(
                    "{} for {who:?}: {status} was expected, but {} {}",
                    row.route, answer.status, answer.text
                ));
            }
            if status >= 400 && world.rows().await != before {
                wrong.push(format!("{} for {who:?} was refused and changed something", row.route));
            }
            let others = [&world.ann.id, &world.ann_session, &world.ann_token.0, "ann@example.org"];
            if !matches!(who, Who::Owner | Who::Admin) && others.iter().any(|secret| answer.text.contains(*secret)) {
                wrong.push(format!("{} tells {who:?} of the owner: {}", row.route, answer.text));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
