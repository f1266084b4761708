//! Attempts: guessing is bounded, by every door, and is no weapon against the owner.

use accountd::limits::backoff::MAX_PENDING;
use axum::http::Method;
use chrono::TimeDelta;
use serde_json::{Value, json};

mod known_devices;
mod new_passwords;
mod rate_limits;
mod unknown_names;
mod user_enumeration;

use crate::support::{Actor, PASSWORD, TestApp, TestResponse};

const LIMITED: &[(&str, &str)] = &[("ACCOUNTD_LIMITS__ENABLED", "true")];

/// The code and the seconds to wait.
fn login_error(answer: &TestResponse) -> (String, Option<u64>) {
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

/// A1, A12, B5: the ladder, the same for an account and for a name that belongs to nobody.
#[tokio::test]
async fn failed_logins_back_off_and_lock_after_100_failures() {
    let app = TestApp::with(LIMITED).await;
    app.user("ann").await;
    let stranger = app.anonymous();
    let mut verified = 0;
    for tried in 0..100 {
        for name in ["ann", "nobody"] {
            assert_eq!(
                login_error(&login(&stranger, name, "x", None).await),
                invalid_credentials(),
                "{name}, try {tried}"
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
                login_error(&login(&stranger, name, PASSWORD, None).await),
                too_many_attempts(delay),
                "{name}, try {tried}"
            );
        }
        app.clock.advance(TimeDelta::seconds(delay as i64) - TimeDelta::milliseconds(1));
        assert_eq!(login_error(&login(&stranger, "ann", PASSWORD, None).await), too_many_attempts(1));
        app.clock.advance(TimeDelta::milliseconds(1));
    }
    let after = login(&stranger, "ann", PASSWORD, None).await;
    assert_eq!(login_error(&after).0, "none", "a day lifts the lock");
    assert_eq!(
        login_error(&login(&stranger, "ann", "x", None).await),
        invalid_credentials(),
        "and success begins again"
    );
    assert_eq!(login_error(&login(&stranger, "ann", "x", None).await), too_many_attempts(1));
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

/// A5: GraphQL and REST spend one budget; updatePassword spends that of its session, which strangers cannot reach.
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
    assert_eq!(rest("/login").await.status.as_u16(), 401, "what a session spends is its own");
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
    // The first was counted, the others were not even looked at.
    app.clock.advance(TimeDelta::milliseconds(10));
    assert_eq!(login_error(&login(&app.anonymous(), "n0", "x", None).await), too_many_attempts(1));
    assert_eq!(login_error(&login(&app.anonymous(), "n1", "x", None).await), invalid_credentials());
    let many = format!("mutation {{ {} }}", (0..500).map(one).collect::<String>());
    assert_eq!(app.anonymous().send(&many, json!({})).await.code().as_deref(), Some("OPERATION_TOO_COMPLEX"));
    let batch = json!([{ "query": query }, { "query": query }]);
    assert_eq!(app.anonymous().json(Method::POST, "/graphql", &batch).await.status.as_u16(), 400);
}

/// A6: attempts under way are bounded, and after a failure one is under way at a time. An unknown name does the same.
#[tokio::test]
async fn parallel_guesses_do_not_exceed_the_limit() {
    let app = TestApp::with(LIMITED).await;
    app.user("ann").await;
    for name in ["ann", "nobody"] {
        for round in 0..4 {
            let guesses: Vec<_> = (0..200)
                .map(|_| {
                    let stranger = app.anonymous();
                    tokio::spawn(async move { login_error(&login(&stranger, name, "x", None).await) })
                })
                .collect();
            let mut verified = 0;
            for guess in guesses {
                verified += i32::from(guess.await.unwrap() == invalid_credentials());
            }
            let most = if round == 0 { MAX_PENDING } else { 1 };
            assert!((1..=most).contains(&verified), "{name}, round {round}: {verified}");
            app.clock.advance(TimeDelta::seconds(5));
        }
    }
}

/// What is under way has not failed: a fleet of workers, or a suite of tests, with one account.
#[tokio::test]
async fn parallel_correct_logins_all_succeed() {
    let app = TestApp::with(LIMITED).await;
    app.user("ann").await;
    for round in 0..3 {
        let crowd: Vec<_> = (0..6)
            .map(|_| {
                let worker = app.anonymous();
                tokio::spawn(async move { login_error(&login(&worker, "ann", PASSWORD, None).await).0 })
            })
            .collect();
        for login in crowd {
            assert_eq!(login.await.unwrap(), "none", "round {round}");
        }
    }
    assert_eq!(
        login_error(&login(&app.anonymous(), "ann", "x", None).await),
        invalid_credentials(),
        "nothing was counted"
    );
    assert_eq!(login_error(&login(&app.anonymous(), "ann", "x", None).await), too_many_attempts(1));
}

/// B5: what the server was too busy to look at was no try, whether the name belongs to somebody or not.
#[tokio::test]
async fn attempt_refused_as_busy_is_not_counted() {
    let app = TestApp::with_config(LIMITED, |config| {
        config.password.argon2_memory_kib = 19_456;
        config.password.hash_threads = std::num::NonZeroUsize::new(1);
    })
    .await;
    for name in ["ann", "bob", "eve"] {
        app.user(name).await;
    }
    let names = ["ann", "bob", "eve"].map(str::to_owned).into_iter().chain((0..60).map(|number| format!("n{number}")));
    let crowd: Vec<_> = names
        .map(|name| {
            let stranger = app.anonymous();
            tokio::spawn(async move { (login(&stranger, &name, "x", None).await.code(), name) })
        })
        .collect();
    let mut busy = Vec::new();
    for answer in crowd {
        let (code, name) = answer.await.unwrap();
        busy.extend((code.as_deref() == Some("SERVER_BUSY")).then_some(name));
    }
    assert!(!busy.is_empty(), "it was no crowd");
    for name in busy {
        assert_eq!(login_error(&login(&app.anonymous(), &name, "x", None).await), invalid_credentials(), "{name}");
    }
}

/// A13: whoever has to wait is told at once; nobody's connection is held, and nothing is hashed. On a loaded machine the
/// database may have no connection free for some of them: they are told to come again, and do.
#[tokio::test]
async fn parallel_attempts_during_backoff_are_refused_at_once() {
    let app = TestApp::with(LIMITED).await;
    app.user("ann").await;
    assert_eq!(login_error(&login(&app.anonymous(), "ann", "x", None).await), invalid_credentials());
    // The clock stands still: whoever waited for it would not come back.
    let crowd: Vec<_> = (0..1_000)
        .map(|_| {
            let stranger = app.anonymous();
            tokio::spawn(async move {
                loop {
                    let login = json!({ "username": "ann", "password": PASSWORD });
                    let answer = stranger.json(Method::POST, "/login", &login).await;
                    assert_eq!(answer.header("retry-after"), Some("1"), "{}", answer.text);
                    if answer.status != 503 {
                        return answer.status.as_u16();
                    }
                }
            })
        })
        .collect();
    for answer in crowd {
        assert_eq!(answer.await.unwrap(), 429);
    }
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

    // The device has a budget of its own, for its own account alone.
    assert_eq!(login_error(&login(&app.anonymous(), "ann", "x", Some(&device)).await), invalid_credentials());
    assert_eq!(login_error(&login(&app.anonymous(), "ann", "x", Some(&device)).await), too_many_attempts(1));
    assert_eq!(login_error(&login(&app.anonymous(), "bob", "x", Some(&device)).await), invalid_credentials());
    assert_eq!(
        login_error(&login(&app.anonymous(), "bob", "x", None).await),
        too_many_attempts(1),
        "a foreign device token is none"
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

/// A2, A3, A12
#[tokio::test]
async fn address_limit_counts_failed_logins_only() {
    let app = TestApp::with(LIMITED).await;
    for name in ["ann", "bob"] {
        app.user(name).await;
    }
    let office = app.anonymous().at_address("192.0.2.7");
    for _ in 0..30 {
        assert_eq!(login_error(&login(&office, "ann", PASSWORD, None).await).0, "none");
    }
    for number in 0..10 {
        assert_eq!(login_error(&login(&office, &format!("name{number}"), "x", None).await), invalid_credentials());
        assert_eq!(
            login_error(&login(&office, "ann", PASSWORD, None).await).0,
            if number < 9 { "none" } else { "TOO_MANY_ATTEMPTS" }
        );
    }
    assert_eq!(login_error(&login(&office, "bob", PASSWORD, None).await), too_many_attempts(6));
    assert_eq!(login_error(&login(&app.anonymous().at_address("192.0.2.8"), "bob", PASSWORD, None).await).0, "none");
    app.clock.advance(TimeDelta::seconds(6));
    assert_eq!(login_error(&login(&office, "bob", PASSWORD, None).await).0, "none");

    for number in 0..10 {
        let address = format!("2001:db8:1:2::{number:x}");
        assert_eq!(
            login_error(&login(&app.anonymous().at_address(&address), &format!("v6{number}"), "x", None).await),
            invalid_credentials()
        );
    }
    assert_eq!(
        login_error(&login(&app.anonymous().at_address("2001:db8:1:2:ffff::"), "v6", "x", None).await),
        too_many_attempts(6)
    );
    assert_eq!(
        login_error(&login(&app.anonymous().at_address("2001:db8:1:3::"), "v6", "x", None).await),
        invalid_credentials()
    );
}

#[tokio::test]
async fn registrations_and_name_checks_are_limited_per_address() {
    let app = TestApp::with(LIMITED).await;
    let visitor = app.anonymous().at_address("192.0.2.7");
    let register = |name: String, password: &str| {
        let query = "mutation ($name: String!, $password: String!) {
            register(input: { username: $name, password: $password }) { errors { code retryAfter } } }";
        let (visitor, variables) = (visitor.clone(), json!({ "name": name, "password": password }));
        async move { visitor.send(query, variables).await.data()["register"]["errors"][0].clone() }
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
        assert_eq!(visitor.request(Method::GET, "/login?username=user0", &[], "").await.status.as_u16(), 200);
    }
    let answer = visitor.request(Method::GET, "/login?username=user0", &[], "").await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (429, Some("1")));
}

/// PlantDB's own limits per address, counted before anything is looked at.
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
