//! Behavior of the dialect beyond the recording.

mod malformed_input;
mod put;

use axum::http::{Method, StatusCode};
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{MOUNTED, token_of};
use crate::support::{Actor, PASSWORD, TestApp, TestResponse};

const OTHER: &str = "another-horse-battery-8";

async fn login(app: &TestApp, email: &str, password: &str) -> TestResponse {
    let body = json!({ "email": email, "password": password });
    app.anonymous().json(Method::POST, "/api/users/login", &body).await
}

/// An actor with a token of the dialect.
async fn signed_in(app: &TestApp, email: &str, password: &str) -> Actor {
    let answer = login(app, email, password).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    app.anonymous().with_token(&token_of(&answer))
}

async fn get(actor: &Actor, path: &str) -> TestResponse {
    actor.request(Method::GET, path, &[], "").await
}

async fn status(actor: &Actor, path: &str) -> u16 {
    get(actor, path).await.status.as_u16()
}

async fn reset(actor: &Actor, email: &str, password: &str) -> TestResponse {
    let body = json!({ "email": email, "password": password });
    actor.json(Method::POST, "/api/users/reset-password", &body).await
}

fn user_input(email: &str) -> Value {
    json!({ "email": email, "name": "", "password": PASSWORD, "active": true, "roles": [] })
}

async fn created(admin: &Actor, input: &Value) -> Value {
    let answer = admin.json(Method::POST, "/api/users/", input).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    answer.json()
}

/// Z-1: a customer's administrator reaches no other customer, and other users read as missing.
#[tokio::test]
async fn user_api_customer_manages_only_its_own_users() {
    let app = TestApp::with(&[MOUNTED]).await;
    let root = app.admin("root").await;
    let ann = created(&root, &user_input("ann@example.org")).await;
    app.admin_of_other_tenant("boss").await;
    let boss = signed_in(&app, "boss", PASSWORD).await;
    let bob = created(&boss, &user_input("bob")).await;
    assert_eq!(bob["customer"], get(&boss, "/api/users/token").await.json()["customer"], "the creator decides");
    assert_ne!(bob["customer"], ann["customer"]);
    let listed = get(&boss, "/api/users/?limit=100").await.json();
    let emails: Vec<&str> =
        listed["users"].as_array().unwrap().iter().map(|user| user["email"].as_str().unwrap()).collect();
    assert_eq!((emails, &listed["has_next"]), (vec!["boss", "bob"], &json!(false)));
    assert_eq!(get(&boss, "/api/users/?email=ann").await.json()["users"], json!([]));

    let path = format!("/api/users/{}", ann["id"]);
    assert_eq!(status(&boss, &path).await, 404);
    let change = json!({ "email": "ann@example.org", "name": "Mine", "active": false });
    assert_eq!(boss.json(Method::PUT, &path, &change).await.status, StatusCode::NOT_FOUND);
    let refused = reset(&boss, "ann@example.org", OTHER).await;
    assert_eq!(refused.json()["message"], "User 'ann@example.org' doesn't exist.");
    signed_in(&app, "ann@example.org", PASSWORD).await;

    // A default tenant administrator sees all, but works on one customer at a time here.
    let far = format!("/api/users/{}", bob["id"]);
    assert_eq!((status(&root, &path).await, status(&root, &far).await), (200, 403));
    assert_eq!(get(&root, "/api/users/?email=bob").await.json()["users"], json!([]));
}

const SECRET: &str = "k3J+vQ8xW0aZ/5yTn2LsRf7uHcE9pBdM";

/// The token introspection response for the actor's token.
async fn introspect(app: &TestApp, actor: &Actor) -> Value {
    let authorization = format!("Bearer {SECRET}");
    let headers = [("authorization", authorization.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    let body = format!("token={}", actor.token.as_deref().unwrap());
    app.anonymous().request(Method::POST, "/introspect", &headers, body).await.json()
}

/// S14: the token lasts as long as its session, however that ends.
#[tokio::test]
async fn user_api_token_lasts_as_long_as_its_session() {
    let app = TestApp::with(&[MOUNTED, ("ACCOUNTD_TOKEN_INTROSPECTION__SECRET", SECRET)]).await;
    app.admin("root").await;
    let ann = app.user("ann").await;
    let first = login(&app, "ann", PASSWORD).await;
    let caller = app.anonymous().with_token(&token_of(&first));
    let end = first.json()["exp"].as_i64().unwrap();
    assert_eq!(end - app.app.clock.now().timestamp(), 1_209_600, "the idle life of a session");
    assert_eq!(get(&caller, "/api/users/token").await.json(), first.json());
    assert_eq!(caller.me_code().await, None, "GraphQL accepts it");
    let worth = introspect(&app, &caller).await;
    assert_eq!((&worth["active"], &worth["exp"], &worth["username"]), (&json!(true), &json!(end), &json!("ann")));
    let refused = caller.refresh(caller.token.as_deref().unwrap()).await;
    assert_eq!(refused.payload_error("refresh").as_deref(), Some("REFRESH_TOKEN_INVALID"), "it refreshes nothing");
    app.clock.advance(TimeDelta::seconds(1_209_599));
    assert_eq!(caller.me_code().await, None);
    app.clock.advance(TimeDelta::seconds(1));
    assert_eq!(caller.me_reason().await.as_deref(), Some("SESSION_ENDED"));
    assert_eq!(get(&caller, "/api/users/token").await.text, "null");
    assert_eq!(self::introspect(&app, &caller).await, json!({ "active": false }));

    let second = signed_in(&app, "ann", PASSWORD).await;
    let third = signed_in(&app, "ann", PASSWORD).await;
    assert_eq!(second.request(Method::POST, "/api/users/logout", &[], "").await.status, StatusCode::OK);
    assert_eq!(second.me_reason().await.as_deref(), Some("SESSION_ENDED"));
    assert_eq!(third.me_code().await, None, "another session lives");
    let root = signed_in(&app, "root", PASSWORD).await;
    root.mutate_ok("setUserStatus", json!({ "userId": ann.id, "status": "DISABLED" }), "user { id }").await;
    assert_eq!(third.me_reason().await.as_deref(), Some("SESSION_ENDED"));
}

/// S13: a new password ends every other session, by the user or by an administrator.
#[tokio::test]
async fn user_api_password_change_ends_other_sessions() {
    let app = TestApp::with(&[MOUNTED]).await;
    app.admin("root").await;
    let phone = app.user("ann").await;
    let caller = signed_in(&app, "ann", PASSWORD).await;
    let (_, program) = phone.api_token(&[]).await;
    assert_eq!(reset(&program, "ann", OTHER).await.status, StatusCode::FORBIDDEN, "the message is for the user");
    let weak = reset(&caller, "ann", "password").await;
    assert_eq!((weak.status.as_u16(), &weak.json()["payload"]["password"].is_array()), (422, &true), "{}", weak.text);
    assert_eq!(reset(&caller, "ANN", OTHER).await.status, StatusCode::OK);
    assert_eq!(caller.me_code().await, None, "the session lives on");
    assert_eq!(phone.me_reason().await.as_deref(), Some("SESSION_ENDED"));
    assert_eq!(login(&app, "ann", PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    signed_in(&app, "ann", OTHER).await;

    let root = signed_in(&app, "root", PASSWORD).await;
    assert_eq!(reset(&root, "ann", PASSWORD).await.status, StatusCode::OK);
    assert_eq!(caller.me_reason().await.as_deref(), Some("SESSION_ENDED"), "by an administrator, all");
}

/// S13: a new password revokes the API tokens that the user created, also if the user is disabled with it.
#[tokio::test]
async fn user_api_put_of_a_password_and_a_status_revokes_api_tokens() {
    let app = TestApp::with(&[MOUNTED]).await;
    let root = app.admin("root").await;
    let ann = created(&root, &user_input("ann@example.org")).await;
    let (_, program) = signed_in(&app, "ann@example.org", PASSWORD).await.api_token(&[]).await;
    assert_eq!(program.me_code().await, None);
    let path = format!("/api/users/{}", ann["id"]);
    let mut change = user_input("ann@example.org");
    (change["password"], change["active"]) = (json!(OTHER), json!(false));
    assert_eq!(root.json(Method::PUT, &path, &change).await.status, StatusCode::OK);
    change["active"] = json!(true);
    change.as_object_mut().unwrap().remove("password");
    assert_eq!(root.json(Method::PUT, &path, &change).await.status, StatusCode::OK);
    assert_eq!(program.me_reason().await.as_deref(), Some("SESSION_ENDED"));
}

#[tokio::test]
async fn user_api_must_change_password_is_resolved_by_put() {
    let app = TestApp::with(&[MOUNTED]).await;
    let root = app.admin("root").await;
    let input = json!({ "username": "ann", "password": PASSWORD, "mustChangePassword": true, "roles": ["admin"] });
    root.mutate_ok("createUser", input, "user { id }").await;
    let ann = signed_in(&app, "ann", PASSWORD).await;
    assert_eq!(status(&ann, "/api/users/").await, 403);
    assert_eq!(reset(&ann, "root", OTHER).await.status, StatusCode::FORBIDDEN, "never another user's before one's own");
    assert_eq!(reset(&ann, "ann", PASSWORD).await.status, StatusCode::UNPROCESSABLE_ENTITY, "not the same one");
    assert_eq!(reset(&ann, "ann", OTHER).await.status, StatusCode::OK);
    assert_eq!(status(&ann, "/api/users/").await, 200);
}

#[tokio::test]
async fn user_api_lists_by_name_parts() {
    let app = TestApp::with(&[MOUNTED]).await;
    let root = app.admin("root").await;
    for (email, name) in [("ann@example.org", "Ann Lee"), ("bob@example.org", "Bob_Lee"), ("carl", "100% Carl")] {
        let mut input = user_input(email);
        input["name"] = json!(name);
        created(&root, &input).await;
    }
    let found = async |query: &str| -> Vec<String> {
        let page = get(&root, &format!("/api/users/?{query}")).await.json();
        page["users"].as_array().unwrap().iter().map(|user| user["email"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(found("email=EXAMPLE.org").await, ["ann@example.org", "bob@example.org"]);
    assert_eq!(found("email=example&name=ann").await, ["ann@example.org"]);
    assert_eq!(found("email=car").await, ["carl"], "a username where there is no address");
    assert_eq!(found("name=%25").await, ["carl"]);
    assert_eq!(found("name=_").await, ["bob@example.org"]);
    assert_eq!(found("email=&name=").await.len(), 4);
    assert_eq!(found("limit=1&offset=3").await, ["carl"]);
    assert_eq!(found("offset=9223372036854775807").await, [""; 0]);
    for query in ["limit=-1", "offset=x", "limit=9223372036854775808", "offset=", "role=x"] {
        let answer = get(&root, &format!("/api/users/?{query}")).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["error_code"]), (422, &json!("WRONG_ARGS")), "{query}");
    }
}

/// A1: wrong passwords are limited, in the dialect's form.
#[tokio::test]
async fn user_api_password_guesses_are_rate_limited() {
    let app = TestApp::with(&[MOUNTED, ("ACCOUNTD_LIMITS__ENABLED", "true")]).await;
    app.user("ann").await;
    let mut last = login(&app, "ann", "wrong").await;
    for _ in 0..3 {
        last = login(&app, "ann", "wrong").await;
    }
    assert_eq!(last.status, StatusCode::TOO_MANY_REQUESTS, "{}", last.text);
    assert!(last.header("retry-after").is_some());
    assert_eq!(last.json()["error_code"], "TOO_MANY_REQUESTS");
}
