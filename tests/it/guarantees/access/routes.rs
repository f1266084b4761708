//! The access table of routes, compared with the router.

mod dialects;
mod disabled_tenant;

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::{Value, json};

use super::actors::{ACTORS, ActorKind, Fixture};
use crate::support::router_paths::paths;
use crate::support::{Actor, PASSWORD, TestResponse};
pub use dialects::dialect_rows;
use dialects::options;

/// One way to call a route.
pub struct Row {
    /// Method and route, as registered in the router.
    pub route: String,
    /// The path with its query, if it differs from the route.
    pub path: Option<String>,
    /// Headers beside those of the actor.
    pub headers: fn() -> Vec<(&'static str, String)>,
    /// The JSON body; null for none.
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

    /// Calls the route at `path`, with its body transformed by `change`.
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

/// Login is public and ignores the credentials of the request.
fn login(_: ActorKind, _: &Actor) -> Value {
    json!({ "username": "eve", "password": PASSWORD })
}

// anonymous, user, owner, admin, admin of another tenant, disabled user
const PUBLIC: [u16; 6] = [200; 6];
fn typename(_: ActorKind, _: &Actor) -> Value {
    json!({ "query": "{ __typename }" })
}

const TYPENAME: &str = "query=%7B__typename%7D";

/// Routes of no dialect.
fn own() -> Vec<Row> {
    vec![
        // The other table covers the operations behind it.
        row("GET /graphql", nothing, PUBLIC).at(format!("/graphql?{TYPENAME}")),
        row("POST /graphql", typename, PUBLIC),
        row("GET /healthz", nothing, PUBLIC),
        row("GET /readyz", nothing, PUBLIC),
        row("GET /.well-known/jwks.json", nothing, PUBLIC),
        row("GET /openapi.json", nothing, PUBLIC),
        row("GET /.well-known/revocations", nothing, PUBLIC),
        row("POST /introspect", nothing, [401; 6]),
        // Browser pages, public; a file that does not exist, because builds without the console have none.
        row("GET /", nothing, PUBLIC),
        row("GET /assets/{file}", nothing, [404; 6]).at("/assets/none.js"),
        row("GET /client/{file}", nothing, [404; 6]).at("/client/none.js"),
    ]
}

/// The whole table, with all dialects mounted.
pub fn rows() -> Vec<Row> {
    let dialects = dialect_rows();
    let options = options(&dialects);
    own().into_iter().chain(dialects).chain(options).collect()
}

/// Every `METHOD /path` that the running router accepts. HEAD is included in GET.
async fn routed(fixture: &Fixture) -> BTreeSet<String> {
    let methods =
        [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS, Method::TRACE];
    let mut routed = BTreeSet::new();
    for path in paths(&fixture.app.router) {
        // A value in place of each parameter.
        let segments: Vec<_> = path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect();
        for method in &methods {
            let answer = fixture.app.anonymous().request(method.clone(), &segments.join("/"), &[], "").await;
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
    assert!(missing.is_empty() && gone.is_empty(), "without a row: {missing:?}; obsolete rows: {gone:?}");
}

#[tokio::test]
async fn routes_return_the_statuses_of_the_access_table() {
    let mut wrong = Vec::new();
    let mut unchanged = None;
    for row in rows() {
        let fixture = match unchanged.take() {
            Some(fixture) => fixture,
            None => Fixture::new().await,
        };
        let begun = fixture.rows().await;
        for who in ACTORS {
            let status = row.statuses[ACTORS.iter().position(|actor| *actor == who).unwrap()];
            let actor = fixture.actor(who);
            let before = fixture.rows().await;
            let answer = row.send(row.path(), who, &actor, |body| body).await;
            if answer.status.as_u16() != status {
                wrong.push(format!(
                    "{} for {who:?}: {status} was expected, but {} {}",
                    row.route, answer.status, answer.text
                ));
            }
            if status >= 400 && fixture.rows().await != before {
                wrong.push(format!("{} for {who:?} was refused and changed something", row.route));
            }
            let others = [&fixture.ann.id, &fixture.ann_session, &fixture.ann_token.0, "ann@example.org"];
            if !matches!(who, ActorKind::Owner | ActorKind::Admin)
                && others.iter().any(|secret| answer.text.contains(*secret))
            {
                wrong.push(format!("{} reveals the owner to {who:?}: {}", row.route, answer.text));
            }
        }
        let mistakes = fixture.wrongly_accepted().await;
        wrong.extend(mistakes.into_iter().map(|mistake| format!("after {}: {mistake}", row.route)));
        // A new fixture takes time on a server; an unchanged one is reused for the next row.
        if fixture.rows().await == begun {
            unchanged = Some(fixture);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
