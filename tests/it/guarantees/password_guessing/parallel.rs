//! Parallel attempts: correct, wrong, busy, and during backoff.

use accountd::limits::backoff::MAX_PENDING;
use axum::http::Method;
use chrono::TimeDelta;
use serde_json::json;

use super::{LIMITED, invalid_credentials, login, login_error, too_many_attempts};
use crate::support::{PASSWORD, TestApp};

/// A6: parallel attempts are limited, to one after a failure. An unknown name behaves the same.
#[tokio::test]
async fn parallel_guesses_do_not_exceed_the_limit() {
    let app = TestApp::with(LIMITED).await;
    app.user("ann").await;
    for name in ["ann", "nobody"] {
        for round in 0..4 {
            let mut verified = 0;
            // On a busy machine the hash queue may refuse even the first guess: then the round is repeated.
            for _ in 0..10 {
                let guesses: Vec<_> = (0..200)
                    .map(|_| {
                        let client = app.anonymous();
                        tokio::spawn(async move { login_error(&login(&client, name, "x", None).await) })
                    })
                    .collect();
                let mut is_busy = false;
                for guess in guesses {
                    let error = guess.await.unwrap();
                    verified += i32::from(error == invalid_credentials());
                    is_busy |= error.0 == "SERVER_BUSY";
                }
                if verified > 0 || !is_busy {
                    break;
                }
            }
            let most = if round == 0 { MAX_PENDING } else { 1 };
            assert!((1..=most).contains(&verified), "{name}, round {round}: {verified}");
            app.clock.advance(TimeDelta::seconds(5));
        }
    }
}

/// An attempt in progress is no failure: parallel workers or tests with one user.
#[tokio::test]
async fn parallel_correct_logins_all_succeed() {
    let app = TestApp::with(LIMITED).await;
    app.user("ann").await;
    for round in 0..3 {
        let attempts: Vec<_> = (0..6)
            .map(|_| {
                let worker = app.anonymous();
                tokio::spawn(async move { login_error(&login(&worker, "ann", PASSWORD, None).await).0 })
            })
            .collect();
        for login in attempts {
            assert_eq!(login.await.unwrap(), "none", "round {round}");
        }
    }
    assert_eq!(
        login_error(&login(&app.anonymous(), "ann", "x", None).await),
        invalid_credentials(),
        "no attempt was counted"
    );
    assert_eq!(login_error(&login(&app.anonymous(), "ann", "x", None).await), too_many_attempts(1));
}

/// B5: an attempt refused as busy is not counted, for known and unknown names.
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
    let attempts: Vec<_> = names
        .map(|name| {
            let client = app.anonymous();
            tokio::spawn(async move { (login(&client, &name, "x", None).await.code(), name) })
        })
        .collect();
    let mut busy = Vec::new();
    for answer in attempts {
        let (code, name) = answer.await.unwrap();
        busy.extend((code.as_deref() == Some("SERVER_BUSY")).then_some(name));
    }
    assert!(!busy.is_empty(), "no request was refused as busy");
    for name in busy {
        assert_eq!(login_error(&login(&app.anonymous(), &name, "x", None).await), invalid_credentials(), "{name}");
    }
}

/// A13: a request during backoff is refused at once; no connection is held and nothing is hashed. On a loaded machine
/// the database may have no free connection for some requests: those get SERVER_BUSY and retry.
#[tokio::test]
async fn parallel_attempts_during_backoff_are_refused_at_once() {
    let app = TestApp::with(LIMITED).await;
    app.user("ann").await;
    assert_eq!(login_error(&login(&app.anonymous(), "ann", "x", None).await), invalid_credentials());
    // The clock stands still: a request that waited for it would not return.
    let attempts: Vec<_> = (0..1_000)
        .map(|_| {
            let client = app.anonymous();
            tokio::spawn(async move {
                loop {
                    let login = json!({ "username": "ann", "password": PASSWORD });
                    let answer = client.json(Method::POST, "/login", &login).await;
                    assert_eq!(answer.header("retry-after"), Some("1"), "{}", answer.text);
                    if answer.status != 503 {
                        return answer.status.as_u16();
                    }
                }
            })
        })
        .collect();
    for answer in attempts {
        assert_eq!(answer.await.unwrap(), 429);
    }
}
