//! The cost of refused REST requests.

use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{ADDRESS, Cost, drain_all_buckets, limited, long, register_log_callsite};
use crate::guarantees::access::actors::{ActorKind, Fixture};
use crate::guarantees::access::routes;
use crate::support::Actor;

/// The body with long texts; the route table covers the accepted bodies.
fn long_body(body: &Value) -> Value {
    match body {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), if name == "query" { value.clone() } else { long_body(value) }))
            .collect(),
        Value::String(_) => json!(long()),
        other => other.clone(),
    }
}

async fn send(row: &routes::Row, actor: &Actor, who: ActorKind) -> crate::support::TestResponse {
    let (method, route) = row.route.split_once(' ').unwrap();
    let path = row
        .path
        .as_deref()
        .unwrap_or(route)
        .replace("username=eve", &format!("username={}", "%EF%B7%BA".repeat(2_000)));
    let basic = format!("Basic {}", STANDARD.encode(format!("{}:{}", long(), long())));
    let is_basic = !(row.headers)().is_empty();
    let mut headers = vec![];
    if is_basic {
        headers.push(("authorization", basic.as_str()));
    }
    let body = long_body(&(row.body)(who, actor));
    let body = if body.is_null() {
        String::new()
    } else {
        headers.push(("content-type", "application/json"));
        body.to_string()
    };
    actor.request(method.parse::<Method>().unwrap(), &path, &headers, body).await
}

#[tokio::test]
async fn refused_route_does_not_hash_check_or_normalize() {
    let fixture = Fixture::with(&limited()).await;
    drain_all_buckets(&fixture).await;
    register_log_callsite(&fixture).await;
    let mut wrong = Vec::new();
    for row in routes::rows() {
        let anonymous = fixture.app.anonymous().at_address(ADDRESS);
        let (cost, answer) = Cost::of(&fixture, send(&row, &anonymous, ActorKind::Anonymous)).await;
        cost.check(&row.route, &mut wrong);
        let is_login = row.route.starts_with("POST") && row.route.ends_with("/login");
        let asks = row.route.starts_with("GET") && row.route.ends_with("/login");
        if (is_login || asks) && answer.status != 429 {
            wrong.push(format!("{}: {} instead of 429: {}", row.route, answer.status, answer.text));
        }
        let (cost, _) =
            Cost::of(&fixture, send(&row, &fixture.actor(ActorKind::Owner).at_address(ADDRESS), ActorKind::Owner))
                .await;
        cost.check(&format!("{} for the owner", row.route), &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Promise B2: without tokens in the bucket nothing is looked up, so timing reveals no user; the database is not even
/// present.
#[tokio::test]
async fn rate_limited_address_gets_no_database_read() {
    let fixture = Fixture::with(&limited()).await;
    let login = |name: &'static str, device: Option<String>| {
        let actor = fixture.app.anonymous().at_address(ADDRESS);
        async move {
            let input = json!({ "username": name, "password": "x", "deviceToken": device });
            actor.mutate("login", input, "errors { code }").await
        }
    };
    let input = json!({ "username": "eve", "password": crate::support::PASSWORD });
    let foreign = fixture.app.anonymous().mutate_ok("login", input, "deviceToken").await["deviceToken"].clone();
    let foreign = foreign.as_str().unwrap().to_owned();
    drain_all_buckets(&fixture).await;
    fixture.app.app.db.close().await.unwrap();
    for name in ["ann", "dora", "nobody"] {
        for device in [None, Some("x".to_owned()), Some(foreign.clone())] {
            let answer = login(name, device).await;
            assert!(answer.text.contains("TOO_MANY_ATTEMPTS"), "{name}: {}", answer.text);
        }
    }
}
