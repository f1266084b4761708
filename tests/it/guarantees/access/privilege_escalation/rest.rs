//! Routes of the dialects on a more privileged user.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::Method;
use serde_json::{Value, json};

use super::{CallerKind, Target};
use crate::guarantees::access::actors::ActorKind;
use crate::guarantees::access::routes;
use crate::support::TestResponse;

/// By route of a dialect: the status on a more privileged target, and by an API token on its own user. OPTIONS returns
/// the methods of a route to every caller.
fn dialect_routes() -> BTreeMap<String, [u16; 2]> {
    let mut table: BTreeMap<String, [u16; 2]> = [
        ("POST /flask/register", [201, 201]),
        ("POST /flask/login", [200, 200]),
        ("POST /flask/refresh", [401, 401]),
        ("POST /flask/logout", [200, 200]),
        ("GET /flask/user/{id}", [200, 200]),
        ("DELETE /flask/user/{id}", [403, 403]),
        ("POST /api/users/login", [200, 200]),
        // The response shows the end of a session.
        ("GET /api/users/token", [200, 403]),
        ("GET /api/users/logout", [200, 200]),
        ("POST /api/users/logout", [200, 200]),
        ("POST /api/users/reset-password", [403, 403]),
        ("GET /api/users/", [200, 200]),
        ("POST /api/users/", [201, 201]),
        ("GET /api/users/{id}", [200, 200]),
        ("PUT /api/users/{id}", [403, 403]),
        ("GET /api/roles/", [200, 200]),
        ("GET /api/users", [308, 308]),
        ("POST /api/users", [308, 308]),
        ("GET /api/roles", [308, 308]),
        ("POST /auth/login", [200, 200]),
        ("POST /auth/bump", [200, 200]),
        ("POST /auth/logout", [200, 200]),
        ("GET /user", [200, 200]),
        ("GET /user/{name}", [200, 200]),
        // A token may record the last login of its own user, too.
        ("PATCH /user/{name}", [403, 200]),
        // The other table covers the mutations.
        ("POST /admin/login", [200, 200]),
        ("POST /admin/logout", [401, 401]),
        ("GET /admin/graphql", [401, 401]),
        ("POST /admin/graphql", [401, 401]),
        ("POST /app/login", [200, 200]),
        ("POST /app/logout", [200, 200]),
        ("GET /app/graphql", [200, 200]),
        ("POST /app/graphql", [200, 200]),
    ]
    .map(|(route, statuses)| (route.to_owned(), statuses))
    .into();
    for at in ["", "/api/v1/auth"] {
        let [validation, refresh, create] = match at {
            "" => ["/token-validation", "/token-refresh", "/create-api-token"],
            _ => ["/token/validation", "/token/refresh", "/token/create-api-token"],
        };
        let without = if at.is_empty() { 400 } else { 401 };
        table.extend([
            (format!("GET {at}/login"), [200, 200]),
            (format!("POST {at}/login"), [200, 200]),
            (format!("POST {at}/logout"), [200, 401]),
            (format!("POST {at}/register"), [201, 201]),
            // PlantDB rejects a token without datasets.
            (format!("POST {at}{validation}"), [200, 401]),
            (format!("POST {at}{refresh}"), [200, without]),
            (format!("POST {at}{create}"), [200, 403]),
        ]);
    }
    table
}

#[tokio::test]
async fn route_on_more_privileged_or_own_token_user_is_refused() {
    let table = dialect_routes();
    let mut wrong = Vec::new();
    let mut listed = BTreeSet::new();
    for row in routes::dialect_rows() {
        let Some(statuses) = table.get(&row.route) else {
            wrong.push(format!("{} has no row", row.route));
            continue;
        };
        listed.insert(row.route.clone());
        for (column, status) in [CallerKind::StrongerTarget, CallerKind::OwnAccount].into_iter().zip(*statuses) {
            let target = Target::new().await;
            let actor = target.actor(column);
            let before = target.fixture.rows().await;
            let path = row.path().replace("/user/ann", "/user/root").replace("/6", "/1");
            let answer = row.send(&path, ActorKind::User, actor, |body| target.targeting(&body)).await;
            if answer.status.as_u16() != status {
                let TestResponse { status: found, text, .. } = answer;
                wrong.push(format!("{} for {column:?}: {status} was expected, but {found} {text}", row.route));
            }
            if status >= 400 && target.fixture.rows().await != before {
                wrong.push(format!("{} for {column:?} was refused and changed something", row.route));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(listed, table.into_keys().collect());
}

/// Neither by session nor by API token: a stolen token cannot replace the password.
#[tokio::test]
async fn user_cannot_replace_own_password_by_put() {
    let target = Target::new().await;
    let root = target.fixture.actor(ActorKind::Admin);
    let whole = |more: Value| {
        let mut body = json!({ "email": "root@example.org", "name": "Root", "active": true });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let password = json!({ "password": "another-horse-battery-8" });
    for actor in [&root, &target.program] {
        let answer = actor.json(Method::PUT, "/api/users/1", &whole(password.clone())).await;
        assert_eq!(answer.status, 422, "{}", answer.text);
        assert!(answer.json()["payload"]["password"].is_array(), "{}", answer.text);
    }
    let answer = target.program.json(Method::PUT, "/api/users/1", &whole(json!({}))).await;
    assert_eq!(answer.status, 403, "{}", answer.text);
    let answer = root.json(Method::PUT, "/api/users/1", &whole(json!({}))).await;
    assert_eq!(answer.status, 200, "own name in a session: {}", answer.text);
    target.fixture.app.login("root", crate::support::PASSWORD).await;
}
