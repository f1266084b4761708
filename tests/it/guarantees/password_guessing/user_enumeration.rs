//! Login responses reveal neither which users exist nor which names belong to one user.

use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{invalid_credentials, login, login_error, too_many_attempts};
use crate::support::{Actor, PASSWORD, TestApp, TestResponse};

/// Every dialect that takes a password, and limits.
pub const ALL_LOGIN_ROUTES: [(&str, &str); 5] = [
    ("ACCOUNTD_LIMITS__ENABLED", "true"),
    ("ACCOUNTD_REST__DIALECTS__TECLADOCODE", "/flask"),
    ("ACCOUNTD_REST__DIALECTS__USER_API", "/api"),
    ("ACCOUNTD_REST__DIALECTS__CORVUS", "/auth"),
    ("ACCOUNTD_REST__DIALECTS__FLASK_AUTH_SERVICE_MONGO", "/any"),
];

/// The login routes, by path.
pub const LOGIN_ROUTES: [&str; 6] =
    ["/graphql", "/login", "/flask/login", "/api/users/login", "/any/login", "/auth/login"];

/// A login by one route.
pub async fn login_at(route: &str, caller: &Actor, name: &str, password: &str) -> TestResponse {
    match route {
        "/graphql" => login(caller, name, password, None).await,
        "/auth/login" => {
            let basic = format!("Basic {}", STANDARD.encode(format!("{name}:{password}")));
            caller.request(Method::POST, route, &[("authorization", &basic)], "").await
        }
        "/api/users/login" => caller.json(Method::POST, route, &json!({ "email": name, "password": password })).await,
        _ => caller.json(Method::POST, route, &json!({ "username": name, "password": password })).await,
    }
}

/// Spellings of the names of a user with the username `name` and an email address.
fn spellings(name: &str) -> Vec<String> {
    let (full, capitals) = (name.replace('a', "\u{ff41}"), name.to_uppercase());
    vec![
        name.to_owned(),
        capitals.clone(),
        full.clone(),
        format!("{name}@b\u{fc}cher.example"),
        format!("{capitals}@B\u{dc}CHER.example"),
        format!("{name}@xn--bcher-kva.example"),
        format!("{name}@bu\u{308}cher.example"),
        format!("{full}\u{ff20}b\u{fc}cher.example"),
        format!("{name}@b\u{fc}ch\u{115f}er.example"),
        format!("{name}@b\u{fc}ch\u{1160}er.example"),
        format!("{name}@b\u{fc}ch\u{3164}er.example"),
        format!("{name}@b\u{fc}ch\u{ffa0}er.example"),
    ]
}

/// A7, B5: any sequence of names and pauses, on each route, gets the same responses for known and unknown names.
#[tokio::test]
async fn login_responses_do_not_reveal_users_or_their_other_names() {
    let app = TestApp::with(&ALL_LOGIN_ROUTES).await;
    let mut state = 20_260_301_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    for (number, route) in LOGIN_ROUTES.into_iter().cycle().take(3 * LOGIN_ROUTES.len()).enumerate() {
        let (known, unknown) = (format!("ann{number}"), format!("adam{number}"));
        let input = json!({ "username": known, "email": format!("{known}@b\u{fc}cher.example"), "password": PASSWORD });
        app.anonymous().mutate_ok("register", input, "status").await;
        let names: Vec<_> = spellings(&known).into_iter().zip(spellings(&unknown)).collect();
        let mut refusals = 0;
        for step in 0..24 {
            let (one, other) = &names[next(names.len())];
            let answers = [
                login_at(route, &app.anonymous(), one, "x").await,
                login_at(route, &app.anonymous(), other, "x").await,
            ];
            let [left, right] = answers.map(|answer| {
                (
                    answer.status,
                    answer.header("retry-after").map(str::to_owned),
                    answer.text.contains("TOO_MANY"),
                    shape(&answer),
                )
            });
            assert_eq!(left, right, "{route}, step {step}: {one:?}");
            refusals += usize::from(left.0 == 429 || left.2);
            app.clock.advance(TimeDelta::milliseconds([0, 0, 500, 1_000, 3_000][next(5)]));
        }
        assert!(refusals > 0, "{route} refused no attempt");
    }
}

/// The body without the parts that are unique to each response.
fn shape(answer: &TestResponse) -> Value {
    let mut body: Value = serde_json::from_str(&answer.text).unwrap_or_default();
    if let Some(members) = body.as_object_mut() {
        members.retain(|name, _| !matches!(name.as_str(), "requestId" | "request_id" | "timestamp" | "time"));
    }
    body
}

/// A1, B5: a user has a hundred failures under all names together. The lock is invisible under another name: the right
/// password gets the response of a wrong one, for a day.
#[tokio::test]
async fn lock_under_one_name_is_invisible_under_another() {
    let app = TestApp::with(&ALL_LOGIN_ROUTES).await;
    let input = json!({ "username": "ann", "email": "ann@example.org", "password": PASSWORD });
    app.anonymous().mutate_ok("register", input, "status").await;
    for _ in 0..100 {
        assert_eq!(login_error(&login(&app.anonymous(), "ann@example.org", "x", None).await), invalid_credentials());
        app.clock.advance(TimeDelta::seconds(10));
    }
    let locked = login_error(&login(&app.anonymous(), "ann@exam\u{115f}ple.org", PASSWORD, None).await);
    assert_eq!(locked, too_many_attempts(86_390));
    for route in LOGIN_ROUTES {
        let jobs = app.app.hasher.jobs();
        let right = login_at(route, &app.anonymous(), "ann", PASSWORD).await;
        assert_eq!(app.app.hasher.jobs(), jobs + 1, "{route} does the same work");
        app.clock.advance(TimeDelta::seconds(10));
        let wrong = login_at(route, &app.anonymous(), "ann", "x").await;
        app.clock.advance(TimeDelta::seconds(10));
        assert_eq!((right.status, shape(&right)), (wrong.status, shape(&wrong)), "{route}");
        let of_unknown = login_at(route, &app.anonymous(), "nobody", "x").await;
        assert_eq!((of_unknown.status, shape(&of_unknown)), (wrong.status, shape(&wrong)), "{route}");
    }
    app.clock.advance(TimeDelta::days(1));
    assert_eq!(
        login_error(&login(&app.anonymous(), "ann", PASSWORD, None).await).0,
        "none",
        "the lock ends after a day"
    );
}

/// An expired lock is not renewed by one failure a day.
#[tokio::test]
async fn one_failure_a_day_does_not_keep_a_lock() {
    let app = TestApp::with(&ALL_LOGIN_ROUTES).await;
    app.user("ann").await;
    for _ in 0..100 {
        assert_eq!(login_error(&login(&app.anonymous(), "ann", "x", None).await), invalid_credentials());
        app.clock.advance(TimeDelta::seconds(10));
    }
    for _ in 0..3 {
        app.clock.advance(TimeDelta::days(1));
        assert_eq!(login_error(&login(&app.anonymous(), "ann", "x", None).await), invalid_credentials());
        assert_eq!(login_error(&login(&app.anonymous(), "ann", PASSWORD, None).await), too_many_attempts(10));
    }
    app.clock.advance(TimeDelta::seconds(10));
    assert_eq!(login_error(&login(&app.anonymous(), "ann", PASSWORD, None).await).0, "none");
}
