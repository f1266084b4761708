//! Token introspection: holders of the secret get the current state of a token, and nothing about an invalid one.

use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Actor, PASSWORD, TestApp, TestResponse};

const SECRET: &str = "k3J+vQ8xW0aZ/5yTn2LsRf7uHcE9pBdM";

async fn service() -> TestApp {
    TestApp::with(&[("ACCOUNTD_TOKEN_INTROSPECTION__SECRET", SECRET)]).await
}

async fn introspect_as(actor: &Actor, authorization: &str, body: &str) -> TestResponse {
    let headers = [("authorization", authorization), ("content-type", "application/x-www-form-urlencoded")];
    actor.request(Method::POST, "/introspect", &headers, body.to_owned()).await
}

async fn introspect(app: &TestApp, token: &str) -> Value {
    let answer = introspect_as(&app.anonymous(), &format!("Bearer {SECRET}"), &format!("token={token}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

fn token(actor: &Actor) -> &str {
    actor.token.as_deref().unwrap()
}

#[tokio::test]
async fn token_introspection_describes_a_live_token() {
    let app = service().await;
    let root = app.admin("root").await;
    let ann = app.user("ann").await;
    let now = app.clock.current().timestamp();
    let known = introspect(&app, token(&ann)).await;
    let sid = known["sid"].as_str().unwrap();
    let expected = json!({
        "active": true, "iss": "accountd", "aud": "accountd", "sub": ann.id, "username": "ann", "token_type": "Bearer",
        "jti": format!("{sid}.1"), "iat": now, "exp": now + 900, "sid": sid, "roles": [], "permissions": [],
    });
    assert_eq!(known, expected);
    root.mutate_ok("setUserRoles", json!({ "userId": ann.id, "roles": ["admin"] }), "user { id }").await;
    let known = introspect(&app, token(&ann)).await;
    assert_eq!((&known["roles"], known["permissions"].as_array().unwrap().is_empty()), (&json!(["admin"]), false));

    let input = json!({ "name": "robot", "permissions": ["USERS_READ"], "scopes": ["ds_*/read", "x"] });
    let made = ann.mutate_ok("createApiToken", input, "apiToken { id } token").await;
    let known = introspect(&app, made["token"].as_str().unwrap()).await;
    assert_eq!((&known["active"], &known["scope"], &known["roles"]), (&json!(true), &json!("ds_*/read x"), &json!([])));
    assert_eq!((&known["jti"], &known["permissions"]), (&made["apiToken"]["id"], &json!(["USERS_READ"])));
    assert!(known.get("exp").is_none() && known.get("sid").is_none(), "{known}");
}

/// J27: exactly this, whatever the error.
#[tokio::test]
async fn token_introspection_of_invalid_token_is_inactive_only() {
    let app = service().await;
    let root = app.admin("root").await;
    let inactive = json!({ "active": false });
    let (ann, bob, eve, old) =
        (app.user("ann").await, app.user("bob").await, app.user("eve").await, app.user("old").await);
    let renewed = ann.refresh_token.clone().unwrap();
    for wrong in ["", "nonsense", "a.b.c", "accountd.tok_x.y", &renewed, &token(&bob).replace('.', "%2E%2E")] {
        assert_eq!(introspect(&app, wrong).await, inactive, "{wrong}");
    }
    ann.send("mutation { logout { ok } }", json!({})).await.data();
    assert_eq!(introspect(&app, token(&ann)).await, inactive, "an ended session, at once");
    root.mutate_ok("setUserStatus", json!({ "userId": bob.id, "status": "DISABLED" }), "user { id }").await;
    assert_eq!(introspect(&app, token(&bob)).await, inactive, "a disabled user");
    root.mutate_ok("updateUser", json!({ "userId": eve.id, "mustChangePassword": true }), "user { id }").await;
    assert_eq!(introspect(&app, token(&eve)).await, inactive, "a user who must change the password");
    app.clock.advance(TimeDelta::minutes(16));
    assert_eq!(introspect(&app, token(&old)).await, inactive, "an expired token");
    let elsewhere = app.restart_with(|config| config.token.audience = "another".to_owned()).await;
    let old = elsewhere.login("old", PASSWORD).await;
    assert_eq!(introspect(&elsewhere, token(&old)).await["aud"], "another");
    let back = elsewhere.restart_with(|config| config.token.audience = "accountd".to_owned()).await;
    assert_eq!(introspect(&back, token(&old)).await, inactive, "a token for another audience");
}

#[tokio::test]
async fn token_introspection_requires_the_secret() {
    let app = service().await;
    let ann = app.user("ann").await;
    let body = format!("token={}", token(&ann));
    let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
    let encoded = SECRET.replace('+', "%2B").replace('/', "%2F");
    for right in [
        format!("Bearer {SECRET}"),
        format!("bearer {SECRET}"),
        basic(&format!("gateway:{SECRET}")),
        basic(&format!(":{SECRET}")),
        basic(&format!("gateway:{encoded}")),
    ] {
        assert_eq!(introspect_as(&app.anonymous(), &right, &body).await.json()["active"], true, "{right}");
    }
    // In the form, where no header has one; beside the header of another scheme, too.
    for (header, secret, active) in [
        ("", encoded.as_str(), true),
        ("Digest x=y", encoded.as_str(), true),
        ("", "nonsense", false),
        ("Bearer nonsense", encoded.as_str(), false),
    ] {
        let body = format!("{body}&client_id=gateway&client_secret={secret}");
        let answer = introspect_as(&app.anonymous(), header, &body).await;
        let expected = if active { json!(true) } else { json!(null) };
        assert_eq!(answer.json()["active"], expected, "{header} {secret}");
        assert_eq!(answer.status, if active { 200 } else { 401 });
    }
    for wrong in [
        String::new(),
        "Bearer".to_owned(),
        format!("Bearer {}", token(&ann)),
        format!("Bearer {SECRET}x"),
        format!("Bearer {}", &SECRET[1..]),
        format!("Bearer {}", SECRET.to_lowercase()),
        SECRET.to_owned(),
        format!("Digest {SECRET}"),
        basic(SECRET),
        basic(&format!("{SECRET}:")),
        "Basic %%%".to_owned(),
    ] {
        let answer = introspect_as(&app.anonymous(), &wrong, &body).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["error"]), (401, &json!("invalid_client")), "{wrong}");
        assert!(answer.header("www-authenticate").is_some());
    }
    for (media, text) in [
        ("application/json", json!({ "token": token(&ann) }).to_string()),
        ("application/x-www-form-urlencoded", String::new()),
        ("application/x-www-form-urlencoded", format!("{body}&{body}")),
    ] {
        let headers = [("authorization", &*format!("Bearer {SECRET}")), ("content-type", media)];
        let answer = app.anonymous().request(Method::POST, "/introspect", &headers, text).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["error"]), (400, &json!("invalid_request")));
    }
}

/// A secret may look encoded.
#[tokio::test]
async fn introspection_secret_with_percent_is_taken_raw_and_encoded() {
    let secret = "q8Zs%1vXo%41TnRbL2mYc9HdW5uEj3GfA6pNi0Qw%xBg";
    let app = TestApp::with(&[("ACCOUNTD_TOKEN_INTROSPECTION__SECRET", secret)]).await;
    let ann = app.user("ann").await;
    for pair in [format!("gateway:{secret}"), format!("gateway:{}", secret.replace('%', "%25"))] {
        let header = format!("Basic {}", STANDARD.encode(&pair));
        let answer = introspect_as(&app.anonymous(), &header, &format!("token={}", token(&ann))).await;
        assert_eq!(answer.json()["active"], true, "{pair}");
    }
}

#[tokio::test]
async fn token_introspection_without_configured_secret_is_404() {
    let app = TestApp::new().await;
    assert_eq!(introspect_as(&app.anonymous(), &format!("Bearer {SECRET}"), "token=x").await.status, 404);
    for weak in ["short", "changeme-changeme-changeme-changeme"] {
        let settings = [("ACCOUNTD_TOKEN_INTROSPECTION__SECRET".to_owned(), weak.to_owned())];
        let error =
            accountd::config::Config::load(accountd::config::Flags::default(), settings).unwrap_err().to_string();
        assert!(error.contains("token_introspection.secret") && !error.contains(weak), "{error}");
    }
}

/// A2: wrong secrets are counted by address, right ones are not.
#[tokio::test]
async fn wrong_introspection_secrets_are_rate_limited() {
    let app =
        TestApp::with(&[("ACCOUNTD_TOKEN_INTROSPECTION__SECRET", SECRET), ("ACCOUNTD_LIMITS__ENABLED", "true")]).await;
    let (right, gateway, other) =
        (format!("Bearer {SECRET}"), app.anonymous().at_address("192.0.2.1"), app.anonymous().at_address("192.0.2.2"));
    for _ in 0..30 {
        assert_eq!(introspect_as(&gateway, &right, "token=x").await.status, 200);
    }
    for _ in 0..10 {
        assert_eq!(introspect_as(&other, "Bearer wrong", "token=x").await.status, 401);
    }
    let refused = introspect_as(&other, &right, "token=x").await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, Some("6")));
    assert_eq!(introspect_as(&gateway, &right, "token=x").await.status, 200, "others are unaffected");
    app.clock.advance(TimeDelta::seconds(6));
    assert_eq!(introspect_as(&other, &right, "token=x").await.status, 200);
}

/// A token that cannot be looked up is neither valid nor invalid.
#[tokio::test]
async fn token_introspection_during_an_outage_is_503() {
    let app = service().await;
    let ann = app.user("ann").await;
    app.app.db.close().await.unwrap();
    let answer = introspect_as(&app.anonymous(), &format!("Bearer {SECRET}"), &format!("token={}", token(&ann))).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, Some("1")), "{}", answer.text);
    assert_eq!(answer.json(), json!({ "error": "temporarily_unavailable" }));
}
