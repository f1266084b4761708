//! What may succeed or be asked for is bounded, too: it leaves rows that stay, or reveals which names are taken.

use chrono::TimeDelta;
use entity::audit_event;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::json;

use super::user_enumeration::{ALL_LOGIN_ROUTES, LOGIN_ROUTES, login_at};
use super::{LIMITED, invalid_credentials, login, login_error, too_many_attempts};
use crate::support::{PASSWORD, TestApp};

/// The doors share one budget of logins that succeed, which strangers cannot spend.
#[tokio::test]
async fn successful_logins_are_limited_per_user_on_every_route() {
    let app = TestApp::with(&ALL_LOGIN_ROUTES).await;
    app.user("ann").await;
    app.user("bob").await;
    for _ in 0..5 {
        assert_eq!(login_error(&login(&app.anonymous(), "ann", "x", None).await), invalid_credentials());
        app.clock.advance(TimeDelta::seconds(10));
    }
    for (number, door) in LOGIN_ROUTES.into_iter().cycle().take(60).enumerate() {
        let answer = login_at(door, &app.anonymous(), "ann", PASSWORD).await;
        assert_eq!(answer.status, 200, "{door}, login {number}: {}", answer.text);
        assert!(!answer.text.contains("TOO_MANY"), "{door}, login {number}");
    }
    let rows = async || audit_event::Entity::find().count(app.app.db.reader()).await.unwrap();
    let before = rows().await;
    for door in LOGIN_ROUTES {
        let answer = login_at(door, &app.anonymous(), "ann", PASSWORD).await;
        assert!(answer.status == 429 || answer.text.contains("TOO_MANY_ATTEMPTS"), "{door}: {}", answer.text);
    }
    assert_eq!(rows().await, before, "nothing is recorded");
    assert_eq!(login_error(&login(&app.anonymous(), "ann", PASSWORD, None).await), too_many_attempts(1));
    assert_eq!(
        login_error(&login(&app.anonymous(), "ann", "x", None).await),
        invalid_credentials(),
        "that was no failure"
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

/// Taken names have a budget of their own: who tries some can register all the same, and who looks for them is bounded.
#[tokio::test]
async fn taken_name_checks_are_limited_apart_from_registrations() {
    let app = TestApp::with(LIMITED).await;
    app.user("ann").await;
    let visitor = app.anonymous().at_address("192.0.2.7");
    let register = async |name: &str| {
        let input = json!({ "username": name, "password": PASSWORD });
        let answer = visitor.mutate("register", input, "errors { code retryAfter }").await.data();
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
    assert_eq!(register("kim").await.0, "TOO_MANY_ATTEMPTS", "three accounts were made");
}

/// Who renames an account looks for taken names, too.
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
