//! Successful operations and name checks are limited, too: they leave permanent rows, or reveal taken names.

use axum::http::Method;
use chrono::TimeDelta;
use entity::audit_event;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};

use super::user_enumeration::{ALL_LOGIN_ROUTES, LOGIN_ROUTES, login_at};
use super::{LIMITED, invalid_credentials, login, login_error, too_many_attempts};
use crate::support::{PASSWORD, TestApp};

/// All routes share one bucket of successful logins, which other callers cannot empty.
#[tokio::test]
async fn successful_logins_are_limited_per_user_on_every_route() {
    let app = TestApp::with(&ALL_LOGIN_ROUTES).await;
    app.user("ann").await;
    app.user("bob").await;
    for _ in 0..5 {
        assert_eq!(login_error(&login(&app.anonymous(), "ann", "x", None).await), invalid_credentials());
        app.clock.advance(TimeDelta::seconds(10));
    }
    for (number, route) in LOGIN_ROUTES.into_iter().cycle().take(60).enumerate() {
        let answer = login_at(route, &app.anonymous(), "ann", PASSWORD).await;
        assert_eq!(answer.status, 200, "{route}, login {number}: {}", answer.text);
        assert!(!answer.text.contains("TOO_MANY"), "{route}, login {number}");
    }
    let rows = async || audit_event::Entity::find().count(app.app.db.reader()).await.unwrap();
    let before = rows().await;
    for route in LOGIN_ROUTES {
        let answer = login_at(route, &app.anonymous(), "ann", PASSWORD).await;
        assert!(answer.status == 429 || answer.text.contains("TOO_MANY_ATTEMPTS"), "{route}: {}", answer.text);
    }
    assert_eq!(rows().await, before, "nothing is recorded");
    assert_eq!(login_error(&login(&app.anonymous(), "ann", PASSWORD, None).await), too_many_attempts(1));
    assert_eq!(
        login_error(&login(&app.anonymous(), "ann", "x", None).await),
        invalid_credentials(),
        "no failure was counted"
    );
    assert_eq!(login_error(&login(&app.anonymous(), "bob", PASSWORD, None).await).0, "none");
    app.clock.advance(TimeDelta::seconds(1));
    assert_eq!(login_error(&login(&app.anonymous(), "ann", PASSWORD, None).await).0, "none");
}

#[tokio::test]
async fn logins_are_unlimited_when_limits_are_disabled() {
    let app = TestApp::new().await;
    app.user("ann").await;
    for _ in 0..70 {
        assert_eq!(login_error(&login(&app.anonymous(), "ann", PASSWORD, None).await).0, "none");
    }
}

/// Taken names have their own bucket: trying some leaves registration possible, and enumeration is limited.
#[tokio::test]
async fn taken_name_checks_are_limited_apart_from_registrations() {
    let app = TestApp::with(LIMITED).await;
    app.user("ann").await;
    let client = app.anonymous().at_address("192.0.2.7");
    let register = async |name: &str| {
        let input = json!({ "username": name, "password": PASSWORD });
        let answer = client.mutate("register", input, "errors { code retryAfter }").await.data();
        let error = &answer["register"]["errors"][0];
        (error["code"].as_str().unwrap_or("none").to_owned(), error["retryAfter"].as_u64())
    };
    for _ in 0..10 {
        assert_eq!(register("ann").await.0, "USERNAME_TAKEN");
    }
    for name in ["bob", "eve"] {
        assert_eq!(register(name).await.0, "none");
    }
    for _ in 0..10 {
        assert_eq!(register("ann").await.0, "USERNAME_TAKEN");
    }
    assert_eq!(register("ann").await, too_many_attempts(180));
    assert_eq!(register("dan").await, too_many_attempts(180));
    app.clock.advance(TimeDelta::seconds(180));
    assert_eq!(register("dan").await.0, "none");
    assert_eq!(register("kim").await.0, "TOO_MANY_ATTEMPTS", "three users were created");
}

/// Renaming a user also reveals taken names.
#[tokio::test]
async fn taken_name_checks_by_profile_update_are_limited() {
    let app = TestApp::with(LIMITED).await;
    app.user("ann").await;
    let bob = app.user("bob").await.at_address("192.0.2.7");
    let rename = async |name: &str| bob.payload_errors("updateProfile", json!({ "username": name })).await;
    for _ in 0..20 {
        assert_eq!(rename("ann").await[0].0, "USERNAME_TAKEN");
    }
    assert_eq!(rename("ann").await[0].0, "TOO_MANY_ATTEMPTS");
    bob.mutate_ok("updateProfile", json!({ "displayName": "Bob" }), "user { id }").await;
    app.clock.advance(TimeDelta::seconds(180));
    assert_eq!(rename("robert").await, []);
}

#[tokio::test]
async fn registrations_and_name_checks_are_limited_per_address() {
    let app = TestApp::with(LIMITED).await;
    let client = app.anonymous().at_address("192.0.2.7");
    let register = |name: String, password: &str| {
        let query = "mutation ($name: String!, $password: String!) {
            register(input: { username: $name, password: $password }) { errors { code retryAfter } } }";
        let (client, variables) = (client.clone(), json!({ "name": name, "password": password }));
        async move { client.send(query, variables).await.data()["register"]["errors"][0].clone() }
    };
    for number in 0..5 {
        assert_eq!(register(format!("weak{number}"), "12345678").await["code"], "WEAK_PASSWORD");
    }
    for number in 0..3 {
        assert_eq!(register(format!("user{number}"), PASSWORD).await, Value::Null);
    }
    assert_eq!(
        register("user3".to_owned(), PASSWORD).await,
        json!({ "code": "TOO_MANY_ATTEMPTS", "retryAfter": 1_200 })
    );

    for _ in 0..120 {
        assert_eq!(client.request(Method::GET, "/login?username=user0", &[], "").await.status.as_u16(), 200);
    }
    let answer = client.request(Method::GET, "/login?username=user0", &[], "").await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (429, Some("1")));
}

/// PlantDB's own limits per address, counted before any verification.
#[tokio::test]
async fn plantdb_login_keeps_its_documented_limits() {
    let app = TestApp::with(LIMITED).await;
    for (paths, most) in [(["/login", "/api/v1/auth/login"], 20), (["/register", "/api/v1/auth/register"], 5)] {
        let caller = app.anonymous().at_address("192.0.2.7");
        for call in 0..most {
            let answer = caller.json(Method::POST, paths[call % 2], &json!({})).await;
            assert_eq!(answer.status.as_u16(), 400, "call {call} of {paths:?}");
        }
        for path in paths {
            let answer = caller.json(Method::POST, path, &json!({})).await;
            assert_eq!(answer.status.as_u16(), 429, "{path}");
            assert_eq!(answer.header("retry-after"), Some(if most == 20 { "3" } else { "12" }));
        }
        let other = app.anonymous().at_address("192.0.2.8").json(Method::POST, paths[0], &json!({})).await;
        assert_eq!(other.status.as_u16(), 400);
        app.clock.advance(TimeDelta::seconds(12));
        assert_eq!(caller.json(Method::POST, paths[0], &json!({})).await.status.as_u16(), 400);
    }
}
