//! Password guessing is limited on every route, and cannot lock out the owner.

use axum::http::Method;
use chrono::TimeDelta;
use serde_json::json;

mod addresses;
mod known_devices;
mod new_passwords;
mod parallel;
mod rate_limits;
mod unknown_names;
mod user_enumeration;

use crate::support::{Actor, PASSWORD, TestApp, TestResponse};

const LIMITED: &[(&str, &str)] = &[("ACCOUNTD_LIMITS__ENABLED", "true")];

/// The code and the seconds to wait.
fn login_error(answer: &TestResponse) -> (String, Option<u64>) {
    if let Some(code) = answer.code() {
        return (code, None);
    }
    let error = &answer.data()["login"]["errors"][0];
    (error["code"].as_str().unwrap_or("none").to_owned(), error["retryAfter"].as_u64())
}

async fn login(actor: &Actor, name: &str, password: &str, device: Option<&str>) -> TestResponse {
    let query = "mutation ($name: String!, $password: String!, $device: String) {
        login(input: { username: $name, password: $password, deviceToken: $device }) {
            user { id } tokens { accessToken refreshToken } deviceToken errors { code retryAfter }
        }
    }";
    actor.send(query, json!({ "name": name, "password": password, "device": device })).await
}

fn invalid_credentials() -> (String, Option<u64>) {
    ("INVALID_CREDENTIALS".to_owned(), None)
}

fn too_many_attempts(seconds: u64) -> (String, Option<u64>) {
    ("TOO_MANY_ATTEMPTS".to_owned(), Some(seconds))
}

/// A1, A12, B5: the backoff, the same for a user and for an unknown name.
#[tokio::test]
async fn failed_logins_back_off_and_lock_after_100_failures() {
    let app = TestApp::with(LIMITED).await;
    app.user("ann").await;
    let client = app.anonymous();
    let mut verified = 0;
    for tried in 0..100 {
        for name in ["ann", "nobody"] {
            assert_eq!(
                login_error(&login(&client, name, "x", None).await),
                invalid_credentials(),
                "{name}, attempt {tried}"
            );
        }
        verified += 1;
        let delay = match verified {
            1..=2 => 1,
            3..=8 => 3,
            9..=24 => 5,
            25..=99 => 10,
            _ => 86_400,
        };
        for name in ["ann", "nobody"] {
            assert_eq!(
                login_error(&login(&client, name, PASSWORD, None).await),
                too_many_attempts(delay),
                "{name}, attempt {tried}"
            );
        }
        app.clock.advance(TimeDelta::seconds(delay as i64) - TimeDelta::milliseconds(1));
        assert_eq!(login_error(&login(&client, "ann", PASSWORD, None).await), too_many_attempts(1));
        app.clock.advance(TimeDelta::milliseconds(1));
    }
    let after = login(&client, "ann", PASSWORD, None).await;
    assert_eq!(login_error(&after).0, "none", "the lock ends after a day");
    assert_eq!(
        login_error(&login(&client, "ann", "x", None).await),
        invalid_credentials(),
        "and success resets the backoff"
    );
    assert_eq!(login_error(&login(&client, "ann", "x", None).await), too_many_attempts(1));
}

/// A7
#[tokio::test]
async fn failed_logins_count_all_spellings_of_a_name_together() {
    let app = TestApp::with(LIMITED).await;
    let query = "mutation { register(input: { username: \"Ann\", email: \"ann@example.org\", password: \"correct-horse-battery-7\" }) { status } }";
    app.anonymous().send(query, json!({})).await.data();
    assert_eq!(login_error(&login(&app.anonymous(), "ann", "x", None).await), invalid_credentials());
    for spelling in ["Ann", "ANN", " ann ", "ａnn"] {
        assert_eq!(
            login_error(&login(&app.anonymous(), spelling, "x", None).await),
            too_many_attempts(1),
            "{spelling}"
        );
    }
    assert_eq!(
        login_error(&login(&app.anonymous(), "ann@example.org", "x", None).await),
        invalid_credentials(),
        "the lock does not reveal the owner"
    );
    for spelling in ["ANN@EXAMPLE.ORG", " Ann@example.org", "ann@exam\u{115f}ple.org"] {
        assert_eq!(
            login_error(&login(&app.anonymous(), spelling, "x", None).await),
            too_many_attempts(1),
            "{spelling}"
        );
    }
    assert_eq!(login_error(&login(&app.anonymous(), "nobody", "x", None).await), invalid_credentials());
    for spelling in ["NOBODY", " nobody ", "ｎobody"] {
        assert_eq!(
            login_error(&login(&app.anonymous(), spelling, "x", None).await),
            too_many_attempts(1),
            "{spelling}"
        );
    }
}

/// A5: GraphQL and REST use one bucket; updatePassword uses that of its session, which other callers cannot reach.
#[tokio::test]
async fn failed_logins_count_all_login_routes_together() {
    let app = TestApp::with(LIMITED).await;
    let ann = app.user("ann").await;
    let rest = |path: &'static str| {
        let anonymous = app.anonymous();
        async move { anonymous.json(Method::POST, path, &json!({ "username": "ann", "password": "x" })).await }
    };
    assert_eq!(rest("/login").await.status.as_u16(), 401);
    assert_eq!(login_error(&login(&app.anonymous(), "ann", "x", None).await), too_many_attempts(1));
    let change = "mutation { updatePassword(input: { currentPassword: \"x\", newPassword: \"another-good-one-8\" }) {
        errors { code retryAfter } } }";
    assert_eq!(ann.send(change, json!({})).await.payload_error("updatePassword").as_deref(), Some("WRONG_PASSWORD"));
    assert_eq!(ann.send(change, json!({})).await.payload_error("updatePassword").as_deref(), Some("TOO_MANY_ATTEMPTS"));
    for path in ["/login", "/api/v1/auth/login"] {
        let answer = rest(path).await;
        assert_eq!(answer.status.as_u16(), 429);
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert_eq!(answer.json()["message"], "Rate limit exceeded. Please try again later.");
    }
    app.clock.advance(TimeDelta::seconds(1));
    assert_eq!(ann.send(change, json!({})).await.payload_error("updatePassword").as_deref(), Some("WRONG_PASSWORD"));
    assert_eq!(rest("/login").await.status.as_u16(), 401, "a session has its own bucket");
    assert_eq!(rest("/login").await.status.as_u16(), 429);
}

/// A4
#[tokio::test]
async fn one_request_verifies_at_most_one_password() {
    let app = TestApp::with(LIMITED).await;
    app.user("ann").await;
    let one = |alias: usize| {
        format!("a{alias}: login(input: {{ username: \"n{alias}\", password: \"x\" }}) {{ errors {{ code }} }} ")
    };
    let query = format!("mutation {{ {} }}", (0..9).map(one).collect::<String>());
    let answer = app.anonymous().send(&query, json!({})).await.json();
    let codes: Vec<&str> = answer["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["extensions"]["code"].as_str().unwrap())
        .collect();
    assert!(codes.contains(&"ONE_CREDENTIAL_CHECK_PER_REQUEST"), "{answer}");
    // The first was counted, the others were not verified.
    app.clock.advance(TimeDelta::milliseconds(10));
    assert_eq!(login_error(&login(&app.anonymous(), "n0", "x", None).await), too_many_attempts(1));
    assert_eq!(login_error(&login(&app.anonymous(), "n1", "x", None).await), invalid_credentials());
    let many = format!("mutation {{ {} }}", (0..500).map(one).collect::<String>());
    assert_eq!(app.anonymous().send(&many, json!({})).await.code().as_deref(), Some("OPERATION_TOO_COMPLEX"));
    let batch = json!([{ "query": query }, { "query": query }]);
    assert_eq!(app.anonymous().json(Method::POST, "/graphql", &batch).await.status.as_u16(), 400);
}

/// A8
#[tokio::test]
async fn known_device_logs_in_while_others_guess() {
    let app = TestApp::with(LIMITED).await;
    app.user("ann").await;
    app.user("bob").await;
    let first = login(&app.anonymous(), "ann", PASSWORD, None).await.data()["login"].clone();
    let device = first["deviceToken"].as_str().unwrap().to_owned();
    for _ in 0..100 {
        login(&app.anonymous(), "ann", "x", None).await;
        app.clock.advance(TimeDelta::seconds(10));
    }
    assert_eq!(login_error(&login(&app.anonymous(), "ann", PASSWORD, None).await).0, "TOO_MANY_ATTEMPTS");
    assert_eq!(login_error(&login(&app.anonymous(), "ann", PASSWORD, Some(&device)).await).0, "none");
    let ann = app.anonymous().signed_in(&first);
    let renewed = ann.refresh(ann.refresh_token.as_deref().unwrap()).await;
    assert_eq!(renewed.data()["refresh"]["outcome"], "ROTATED", "refresh is never affected");

    // The device has its own bucket, for its own user only.
    assert_eq!(login_error(&login(&app.anonymous(), "ann", "x", Some(&device)).await), invalid_credentials());
    assert_eq!(login_error(&login(&app.anonymous(), "ann", "x", Some(&device)).await), too_many_attempts(1));
    assert_eq!(login_error(&login(&app.anonymous(), "bob", "x", Some(&device)).await), invalid_credentials());
    assert_eq!(
        login_error(&login(&app.anonymous(), "bob", "x", None).await),
        too_many_attempts(1),
        "a device token of another user is unknown"
    );
    for junk in ["", "x", ann.token.as_deref().unwrap(), ann.refresh_token.as_deref().unwrap()] {
        assert_eq!(login_error(&login(&app.anonymous(), "ann", PASSWORD, Some(junk)).await).0, "TOO_MANY_ATTEMPTS");
    }
}

/// A10
#[tokio::test]
async fn login_lock_survives_a_restart() {
    let app = TestApp::with(LIMITED).await;
    app.user("ann").await;
    for name in ["ann", "nobody"] {
        assert_eq!(login_error(&login(&app.anonymous(), name, "x", None).await), invalid_credentials(), "{name}");
    }
    let app = app.restart().await;
    for name in ["ann", "nobody"] {
        assert_eq!(login_error(&login(&app.anonymous(), name, PASSWORD, None).await), too_many_attempts(1), "{name}");
    }
}
