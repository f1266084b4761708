//! The table of routes, held against the router.

use std::collections::BTreeSet;

use axum::Router;
use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::actors::{ACTORS, ActorKind, Fixture};
use crate::support::{Actor, PASSWORD, TestResponse};

/// One way to call a route.
pub struct Row {
    /// Method and route, as the router has it.
    pub route: String,
    /// The path with its query, if it differs from the route.
    pub path: Option<String>,
    /// Headers beside those of the actor.
    pub headers: fn() -> Vec<(&'static str, String)>,
    /// The body, as JSON; null is none.
    pub body: fn(ActorKind, &Actor) -> Value,
    /// The status, in the order of [`ACTORS`].
    statuses: [u16; 6],
}

fn row(route: impl Into<String>, body: fn(ActorKind, &Actor) -> Value, statuses: [u16; 6]) -> Row {
    Row { route: route.into(), path: None, headers: Vec::new, body, statuses }
}

impl Row {
    /// The same at this path.
    fn at(self, path: impl Into<String>) -> Self {
        Self { path: Some(path.into()), ..self }
    }

    /// The path with its query.
    pub fn path(&self) -> &str {
        self.path.as_deref().unwrap_or(self.route.split_once(' ').unwrap().1)
    }

    /// Calls the route at `path`, with the body that `change` makes of its own.
    pub async fn send(
        &self,
        path: &str,
        who: ActorKind,
        actor: &Actor,
        change: impl Fn(Value) -> Value,
    ) -> TestResponse {
        let body = change((self.body)(who, actor));
        let own = (self.headers)();
        let mut headers: Vec<(&str, &str)> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let body = match &body {
            Value::Null => String::new(),
            body => {
                headers.push(("content-type", "application/json"));
                body.to_string()
            }
        };
        let (method, _) = self.route.split_once(' ').unwrap();
        actor.request(method.parse().unwrap(), path, &headers, body).await
    }
}

fn nothing(_: ActorKind, _: &Actor) -> Value {
    Value::Null
}

/// Everybody may try a pair of name and password; the credentials that come along are not looked at.
fn login(_: ActorKind, _: &Actor) -> Value {
    json!({ "username": "eve", "password": PASSWORD })
}

fn register(who: ActorKind, _: &Actor) -> Value {
    json!({ "username": format!("new-{who:?}"), "fullname": "New", "password": PASSWORD })
}

/// The refresh token is the credential here.
fn refresh(_: ActorKind, actor: &Actor) -> Value {
    actor.refresh_token.as_ref().map_or(json!({}), |token| json!({ "refresh_token": token }))
}

/// Everybody may have tokens for themselves.
fn api_token(_: ActorKind, _: &Actor) -> Value {
    json!({ "token_exp": 60, "datasets": { "ds_*": ["read"] } })
}

/// A password for the owner.
fn reset(_: ActorKind, _: &Actor) -> Value {
    json!({ "email": "ann", "password": "another-horse-battery-8" })
}

fn user_input(who: ActorKind, _: &Actor) -> Value {
    json!({ "email": format!("new-{who:?}"), "name": "New", "password": PASSWORD, "active": true, "roles": [] })
}

fn changed(_: ActorKind, _: &Actor) -> Value {
    json!({ "email": "ann@example.org", "name": "Changed", "active": true })
}

/// A name that nobody has.
fn new_user(who: ActorKind, _: &Actor) -> Value {
    json!({ "username": format!("newcomer-{who:?}"), "password": PASSWORD })
}

/// Where the owner is by number, as the sixth account that the world makes.
const ANN: &str = "/api/users/6";
const FLASK_ANN: &str = "/flask/user/6";

/// The same pair in a header.
fn basic() -> Vec<(&'static str, String)> {
    vec![("authorization", format!("Basic {}", STANDARD.encode(format!("eve:{PASSWORD}"))))]
}

/// The version of the owner's account, as the dialect counts.
fn response_status(_: ActorKind, _: &Actor) -> Value {
    json!({ "version": 1, "lastLoginTime": "2018-07-29T11:59:29-05:00" })
}

// anonymous, user, owner, admin, admin of another tenant, disabled user
const PUBLIC: [u16; 6] = [200; 6];
const SIGNED_IN: [u16; 6] = [401, 200, 200, 200, 200, 401];
const ADMINS: [u16; 6] = [401, 403, 403, 201, 201, 401];
const READERS: [u16; 6] = [401, 403, 403, 200, 200, 401];
/// The same without being told more than a stranger.
const ADMINISTRATORS: [u16; 6] = [401, 401, 401, 200, 200, 401];
const OF_THE_OWNER: [u16; 6] = [401, 404, 200, 200, 404, 401];

fn typename(_: ActorKind, _: &Actor) -> Value {
    json!({ "query": "{ __typename }" })
}

const TYPENAME: &str = "query=%7B__typename%7D";

/// What is not a dialect's.
fn own() -> Vec<Row> {
    vec![
        // What the operations behind it do is the other table's.
        row("GET /graphql", nothing, PUBLIC).at(format!("/graphql?{TYPENAME}")),
        row("POST /graphql", typename, PUBLIC),
        row("GET /healthz", nothing, PUBLIC),
        row("GET /readyz", nothing, PUBLIC),
        row("GET /.well-known/jwks.json", nothing, PUBLIC),
        row("GET /openapi.json", nothing, PUBLIC),
        row("GET /.well-known/revocations", nothing, PUBLIC),
        row("POST /introspect", nothing, [401; 6]),
        // What browsers load, for everybody alike; a file that is not there, because builds without the console have none.
        row("GET /", nothing, PUBLIC),
        row("GET /assets/{file}", nothing, [404; 6]).at("/assets/none.js"),
        row("GET /client/{file}", nothing, [404; 6]).at("/client/none.js"),
    ]
}

/// One release of PlantDB, with its token routes and what it says without a refresh token.
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
        // A token that does not hold is nobody's: null.
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

/// One place of auth-service, for these.
fn auth_service(at: &str, login: fn(ActorKind, &Actor) -> Value, statuses: [u16; 6]) -> Vec<Row> {
    vec![
        row(format!("POST {at}/login"), login, PUBLIC),
        row(format!("POST {at}/logout"), nothing, statuses),
        row(format!("GET {at}/graphql"), nothing, statuses).at(format!("{at}/graphql?{TYPENAME}")),
        row(format!("POST {at}/graphql"), typename, statuses),
    ]
}

/// Every route of a dialect tells everybody which methods it takes.
fn options(rows: &[Row]) -> Vec<Row> {
    let paths: BTreeSet<&str> = rows.iter().map(|row| row.route.split_once(' ').unwrap().1).collect();
    paths.into_iter().map(|path| row(format!("OPTIONS {path}"), nothing, PUBLIC)).collect()
}

/// The routes of all dialects, but for OPTIONS.
pub fn dialect_rows() -> Vec<Row> {
    let root = |_, _: &Actor| json!({ "username": "root", "password": PASSWORD });
    [
        plantdb("", ["/token-validation", "/token-refresh", "/create-api-token"], 400),
        plantdb("/api/v1/auth", ["/token/validation", "/token/refresh", "/token/create-api-token"], 401),
        tecladocode(),
        user_api(),
        corvus(),
        // A place for administrators, and one for everybody.
        auth_service("/admin", root, ADMINISTRATORS),
        auth_service("/app", login, SIGNED_IN),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The whole table, with all dialects mounted.
pub fn rows() -> Vec<Row> {
    let dialects = dialect_rows();
    let options = options(&dialects);
    own().into_iter().chain(dialects).chain(options).collect()
}

/// The paths of a router. It tells them in its `Debug` form alone, as `path_router: … {RouteId(0): "/a", …}`.
pub fn paths(router: &Router) -> BTreeSet<String> {
    let text = format!("{router:?}");
    let (routes, _) = text.split_once("fallback_router").unwrap();
    let paths = routes.split("RouteId(").filter_map(|entry| entry.split_once("): \"")?.1.split_once('"'));
    paths.map(|(path, _)| path.to_owned()).collect()
}

#[test]
fn router_debug_output_lists_paths() {
    let inner = || Router::new().route("/b/{id}", axum::routing::post(async || ()));
    let router = Router::new().route("/a", axum::routing::get(async || ())).merge(inner()).nest("/c", inner());
    let layered = router.fallback(async || ()).layer(axum::Extension(1));
    assert_eq!(paths(&layered), ["/a", "/b/{id}", "/c/b/{id}"].map(str::to_owned).into());
}

/// Every `METHOD /path` that the running router takes. HEAD goes with GET.
async fn routed(world: &Fixture) -> BTreeSet<String> {
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
async fn route_access_table_lists_every_route() {
    let routed = routed(&Fixture::new().await).await;
    let listed: BTreeSet<String> = rows().into_iter().map(|row| row.route).collect();
    let missing: Vec<_> = routed.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&routed).collect();
    assert!(missing.is_empty() && gone.is_empty(), "without a row: {missing:?}; rows of nothing: {gone:?}");
}

#[tokio::test]
async fn routes_return_the_statuses_of_the_access_table() {
    let mut wrong = Vec::new();
    let mut unchanged = None;
    for row in rows() {
        let world = match unchanged.take() {
            Some(world) => world,
            None => Fixture::new().await,
        };
        let begun = world.rows().await;
        for who in ACTORS {
            let status = row.statuses[ACTORS.iter().position(|actor| *actor == who).unwrap()];
            let actor = world.actor(who);
            let before = world.rows().await;
            let answer = row.send(row.path(), who, &actor, |body| body).await;
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
            if !matches!(who, ActorKind::Owner | ActorKind::Admin)
                && others.iter().any(|secret| answer.text.contains(*secret))
            {
                wrong.push(format!("{} tells {who:?} of the owner: {}", row.route, answer.text));
            }
        }
        let mistakes = world.wrongly_accepted().await;
        wrong.extend(mistakes.into_iter().map(|mistake| format!("after {}: {mistake}", row.route)));
        // A new one takes its time on a server; one in which nothing happened serves for the next row, too.
        if world.rows().await == begun {
            unchanged = Some(world);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Nobody of a disabled tenant signs in at any door: each route for logins that the dialects have, and GraphQL.
#[tokio::test]
async fn user_of_disabled_tenant_cannot_log_in_by_any_route() {
    use entity::{tenant, user};
    use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};

    let world = Fixture::new().await;
    let db = world.app.app.db.writer();
    let spare = tenant::Entity::find().filter(tenant::Column::Name.eq("spare")).one(db).await.unwrap().unwrap();
    let eve = user::Entity::find().filter(user::Column::UsernameKey.eq("eve")).one(db).await.unwrap().unwrap();
    user::ActiveModel { id: Set(eve.id), tenant_id: Set(spare.id), ..Default::default() }.update(db).await.unwrap();
    let root = world.actor(ActorKind::Admin);
    let stranger = world.app.anonymous();
    let statuses = async || {
        let mut statuses = Vec::new();
        for row in dialect_rows() {
            let names_eve =
                (row.body)(ActorKind::Anonymous, &stranger).to_string().contains("eve") || !(row.headers)().is_empty();
            if row.route.starts_with("POST ") && row.route.ends_with("/login") && names_eve {
                let answer = row.send(row.path(), ActorKind::Anonymous, &stranger, |body| body).await;
                statuses.push((row.route, answer.status.as_u16()));
            }
        }
        let answer = stranger.login("eve", PASSWORD).await;
        statuses.push(("GraphQL".to_owned(), if answer.payload_error("login").is_none() { 200 } else { 401 }));
        statuses
    };
    let before = statuses().await;
    assert_eq!(before.len(), 7, "{before:?}");
    assert!(before.iter().all(|(_, status)| *status == 200), "{before:?}");
    let input = json!({ "tenantId": world.spare, "status": "DISABLED" });
    root.mutate_ok("setTenantStatus", input, "tenant { id }").await;
    let rows = world.rows().await;
    let after = statuses().await;
    assert!(after.iter().all(|(_, status)| matches!(status, 400 | 401)), "{after:?}");
    assert_eq!(world.rows().await, rows, "nothing was opened");
}
