//! Known devices, networks and sessions: bounded buckets that guesses of other callers cannot empty.

use accountd::account::authentication::login_origin::MAX_ORIGINS;
use accountd::clock::Clock;
use accountd::security::jwt::{self, DeviceClaims};
use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use entity::login_origin;
use sea_orm::EntityTrait;
use secrecy::ExposeSecret;
use serde_json::json;

use super::{LIMITED, invalid_credentials, login, login_error};
use crate::support::{Actor, PASSWORD, TestApp};

/// One wrong login per second, from many addresses, until the user is locked.
async fn lock_by_foreign_guesses(app: &TestApp, name: &str) {
    for number in 0..100 {
        let other = app.anonymous().at_address(&format!("203.0.{number}.1"));
        assert_eq!(login_error(&login(&other, name, "x", None).await), invalid_credentials(), "attempt {number}");
        app.clock.advance(TimeDelta::seconds(10));
    }
    let other = app.anonymous().at_address("203.0.113.1");
    assert_eq!(login_error(&login(&other, name, PASSWORD, None).await).0, "TOO_MANY_ATTEMPTS", "it is locked");
}

/// A8: guesses of others lock neither the password change of a logged-in owner nor, in any dialect, the owner's known
/// network.
#[tokio::test]
async fn foreign_guesses_do_not_block_the_owners_network() {
    let mounts = [
        ("ACCOUNTD_LIMITS__ENABLED", "true"),
        ("ACCOUNTD_REST__DIALECTS__TECLADOCODE", "/flask"),
        ("ACCOUNTD_REST__DIALECTS__USER_API", "/api"),
        ("ACCOUNTD_REST__DIALECTS__CORVUS", "/auth"),
        ("ACCOUNTD_REST__DIALECTS__FLASK_AUTH_SERVICE_MONGO", "/any"),
    ];
    let app = TestApp::with(&mounts).await;
    app.user("ann").await;
    let home = app.anonymous().at_address("192.0.2.7");
    let ann = home.signed_in(&login(&home, "ann", PASSWORD, None).await.data()["login"]);
    lock_by_foreign_guesses(&app, "ann").await;

    let same = app.anonymous().at_address("192.0.2.200");
    let named = json!({ "username": "ann", "password": PASSWORD });
    let basic = format!("Basic {}", STANDARD.encode(format!("ann:{PASSWORD}")));
    let routes = ["/login", "/flask/login", "/api/users/login", "/any/login", "/auth/login"];
    for path in routes {
        let answer = async |caller: &Actor| match path {
            "/auth/login" => caller.request(Method::POST, path, &[("authorization", &basic)], "").await,
            "/api/users/login" => {
                caller.json(Method::POST, path, &json!({ "email": "ann", "password": PASSWORD })).await
            }
            _ => caller.json(Method::POST, path, &named).await,
        };
        assert_eq!(answer(&same).await.status, 200, "{path} from a known network");
        assert_eq!(answer(&app.anonymous().at_address("203.0.113.1")).await.status, 429, "{path} from another network");
    }
    // The bucket of a known network is bounded.
    for number in 0..100 {
        let same_network = app.anonymous().at_address(&format!("192.0.2.{}", 10 + number));
        assert_eq!(
            login_error(&login(&same_network, "ann", "x", None).await),
            invalid_credentials(),
            "attempt {number}"
        );
        app.clock.advance(TimeDelta::seconds(10));
    }
    assert_eq!(login_error(&login(&home, "ann", PASSWORD, None).await).0, "TOO_MANY_ATTEMPTS");

    let ann = ann.signed_in(&ann.refresh(ann.refresh_token.as_deref().unwrap()).await.data()["refresh"]);
    // Guesses from the same address have emptied its bucket.
    for number in 0..10 {
        login(&home, &format!("nobody{number}"), "x", None).await;
    }
    let input = json!({ "currentPassword": PASSWORD, "newPassword": "quiet-garden-kestrel-81" });
    ann.mutate_ok("updatePassword", input, "user { id }").await;
}

#[tokio::test]
async fn known_network_expires_after_30_days_and_is_per_user() {
    let app = TestApp::with(LIMITED).await;
    for name in ["ann", "bob"] {
        app.user(name).await;
    }
    let home = app.anonymous().at_address("192.0.2.7");
    assert_eq!(login_error(&login(&home, "ann", PASSWORD, None).await).0, "none");
    app.clock.advance(TimeDelta::days(30) - TimeDelta::seconds(1_000));
    lock_by_foreign_guesses(&app, "ann").await;
    assert_eq!(login_error(&login(&home, "ann", PASSWORD, None).await).0, "TOO_MANY_ATTEMPTS", "30 days have passed");
    app.clock.advance(TimeDelta::days(1));
    assert_eq!(login_error(&login(&home, "ann", PASSWORD, None).await).0, "none");
    lock_by_foreign_guesses(&app, "bob").await;
    assert_eq!(
        login_error(&login(&home, "bob", PASSWORD, None).await).0,
        "TOO_MANY_ATTEMPTS",
        "another user's network"
    );
    assert_eq!(login_error(&login(&home, "ann", PASSWORD, None).await).0, "none");
}

/// A1: an attacker who once knew the password has one device token per login, and no additional guesses. Each device
/// has a bucket that no other device can empty.
#[tokio::test]
async fn device_token_has_its_own_limit_and_ends_with_the_password() {
    let app = TestApp::with(LIMITED).await;
    let ann = app.user("ann").await;
    let new_password = "quiet-garden-kestrel-81";
    let mint = async |count: usize, password: &str| {
        let mut tokens = Vec::new();
        for _ in 0..count {
            let answer = login(&app.anonymous(), "ann", password, None).await.data();
            tokens.push(answer["login"]["deviceToken"].as_str().unwrap().to_owned());
        }
        tokens
    };
    let old = mint(20, PASSWORD).await;
    app.clock.advance(TimeDelta::seconds(1));
    let input = json!({ "currentPassword": PASSWORD, "newPassword": new_password });
    ann.mutate_ok("updatePassword", input, "deviceToken").await;
    let new = mint(2, new_password).await;
    let guess = async |tokens: &[String]| {
        let mut verified = 0;
        for number in 0..120 {
            let answer = login(&app.anonymous(), "ann", "x", Some(&tokens[number % tokens.len()])).await;
            verified += usize::from(login_error(&answer) == invalid_credentials());
            app.clock.advance(TimeDelta::seconds(10));
        }
        verified
    };
    assert_eq!(guess(&old).await, 100, "unknown caller");
    assert_eq!(guess(&new[..1]).await, 100);
    let outcome = async |device: &str| login_error(&login(&app.anonymous(), "ann", new_password, Some(device)).await).0;
    assert_eq!(outcome(&new[0]).await, "TOO_MANY_ATTEMPTS");
    assert_eq!(outcome(&new[1]).await, "none");
}

/// A8: a caller in the network of an earlier login has no special rights: other networks and the devices stay unlocked.
#[tokio::test]
async fn guesses_from_a_known_network_lock_only_that_network() {
    let app = TestApp::with(LIMITED).await;
    app.user("ann").await;
    let (home, cafe) = (app.anonymous().at_address("192.0.2.7"), app.anonymous().at_address("198.51.100.4"));
    let first = login(&home, "ann", PASSWORD, None).await.data()["login"].clone();
    let device = first["deviceToken"].as_str().unwrap().to_owned();
    assert_eq!(login_error(&login(&cafe, "ann", PASSWORD, None).await).0, "none");
    let same_network = app.anonymous().at_address("198.51.100.200");
    for number in 0..100 {
        assert_eq!(
            login_error(&login(&same_network, "ann", "x", None).await),
            invalid_credentials(),
            "attempt {number}"
        );
        app.clock.advance(TimeDelta::seconds(10));
    }
    assert_eq!(login_error(&login(&cafe, "ann", PASSWORD, None).await).0, "TOO_MANY_ATTEMPTS");
    assert_eq!(login_error(&login(&cafe, "ann", PASSWORD, Some(&device)).await).0, "none", "a device is no network");
    assert_eq!(login_error(&login(&home, "ann", PASSWORD, None).await).0, "none", "another network");
    assert_eq!(
        login_error(&login(&app.anonymous().at_address("203.0.113.1"), "ann", PASSWORD, None).await).0,
        "none",
        "elsewhere"
    );
}

#[tokio::test]
async fn device_that_changes_the_password_stays_known() {
    let app = TestApp::with(LIMITED).await;
    app.user("ann").await;
    let first = login(&app.anonymous(), "ann", PASSWORD, None).await.data()["login"].clone();
    let old = first["deviceToken"].as_str().unwrap().to_owned();
    let ann = app.anonymous().signed_in(&first);
    app.clock.advance(TimeDelta::seconds(1));
    let new_password = "quiet-garden-kestrel-81";
    let input = json!({ "currentPassword": PASSWORD, "newPassword": new_password });
    let own = ann.mutate_ok("updatePassword", input, "deviceToken").await["deviceToken"].as_str().unwrap().to_owned();
    lock_by_foreign_guesses(&app, "ann").await;
    let outcome = async |device: &str| login_error(&login(&app.anonymous(), "ann", new_password, Some(device)).await).0;
    assert_eq!(outcome(&old).await, "TOO_MANY_ATTEMPTS", "of the old password");
    assert_eq!(outcome(&own).await, "none");
}

/// Device tokens of earlier versions do not name the password: they stay valid until the next password change.
#[tokio::test]
async fn device_tokens_of_earlier_versions_last_until_password_change() {
    let app = TestApp::with(LIMITED).await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    app.clock.advance(TimeDelta::seconds(1));
    let issuer = app.app.config.token.issuer.clone();
    let now = app.clock.now().timestamp();
    let token_of = |user: &Actor| {
        let claims = DeviceClaims {
            iss: issuer.clone(),
            aud: issuer.clone(),
            sub: user.id.clone(),
            dev: "0198c0de-0000-7000-8000-000000000001".to_owned(),
            pwd: None,
            iat: now,
            exp: now + 365 * 24 * 60 * 60,
        };
        jwt::sign(&app.app.keys, &claims).unwrap().expose_secret().to_owned()
    };
    let old = token_of(&ann);
    lock_by_foreign_guesses(&app, "ann").await;
    let foreign = login_error(&login(&app.anonymous(), "ann", PASSWORD, Some(&token_of(&bob))).await).0;
    assert_eq!(foreign, "TOO_MANY_ATTEMPTS", "another user's device");
    assert_eq!(login_error(&login(&app.anonymous(), "ann", PASSWORD, Some(&old)).await).0, "none");
    let ann = ann.signed_in(&ann.refresh(ann.refresh_token.as_deref().unwrap()).await.data()["refresh"]);
    let new_password = "quiet-garden-kestrel-81";
    let input = json!({ "currentPassword": PASSWORD, "newPassword": new_password });
    ann.mutate_ok("updatePassword", input, "user { id }").await;
    let refused = login_error(&login(&app.anonymous(), "ann", new_password, Some(&old)).await).0;
    assert_eq!(refused, "TOO_MANY_ATTEMPTS");
}

/// Their number is bounded: the one longest without login becomes unknown.
#[tokio::test]
async fn known_devices_and_networks_per_user_are_limited() {
    let app = TestApp::with(LIMITED).await;
    app.user("ann").await;
    let mut tokens = Vec::new();
    for number in 0..MAX_ORIGINS + 5 {
        let network = app.anonymous().at_address(&format!("192.0.{number}.7"));
        let answer = login(&network, "ann", PASSWORD, None).await.data();
        tokens.push(answer["login"]["deviceToken"].as_str().unwrap().to_owned());
        app.clock.advance(TimeDelta::seconds(1));
    }
    let rows = login_origin::Entity::find().all(app.app.db.reader()).await.unwrap();
    let count = |kind: &str| rows.iter().filter(|row| row.origin.starts_with(kind)).count() as u64;
    assert_eq!((count("device:"), count("net:")), (MAX_ORIGINS, MAX_ORIGINS));
    lock_by_foreign_guesses(&app, "ann").await;
    let outcome = async |device: &str| login_error(&login(&app.anonymous(), "ann", PASSWORD, Some(device)).await).0;
    assert_eq!(outcome(&tokens[0]).await, "TOO_MANY_ATTEMPTS");
    assert_eq!(outcome(tokens.last().unwrap()).await, "none");
}
