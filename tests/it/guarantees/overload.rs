//! Overload: the cost of hashing, registration and reading under attack, and the capacity left for others.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::http::Method;
use entity::user;
use sea_orm::{EntityTrait, PaginatorTrait, TransactionTrait};
use serde_json::{Value, json};

use crate::support::database::TestDatabase;
use crate::support::process::Process;
use crate::support::{Actor, PASSWORD, TestApp};

/// The time a request waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);

/// The configured size of the pool.
const THREADS: usize = 1;

/// A service that hashes at the default cost on one thread, so that few logins overload it.
async fn with_slow_hashing() -> TestApp {
    TestApp::with_config(&[], |config| {
        (config.password.argon2_memory_kib, config.password.argon2_iterations) = (19_456, 2);
        config.password.hash_threads = std::num::NonZeroUsize::new(THREADS);
    })
    .await
}

fn wrong_login(name: usize) -> Value {
    json!({ "username": format!("n{name}"), "password": "x" })
}

/// The status of a response, after checking the required parts of a refusal.
fn status(answer: &str) -> u16 {
    let status = answer.get(9..12).and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("{answer}"));
    let waits = answer.lines().any(|line| line.to_lowercase().starts_with("retry-after: "));
    assert_eq!(waits, matches!(status, 429 | 503), "{answer}");
    status
}

/// Stops the load when dropped.
struct AbortOnDrop<'a>(&'a AtomicBool);

impl Drop for AbortOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// L1, A2: wrong passwords from 250 addresses without pause.
#[tokio::test]
async fn wrong_password_load_bounds_memory_and_latency_of_others() {
    let server = Process::start(
        TestDatabase::migrated().await,
        &[
            ("ACCOUNTD_SERVER__TRUSTED_PROXIES", "127.0.0.1/32"),
            ("ACCOUNTD_PASSWORD__HASH_THREADS", "2"),
            ("ACCOUNTD_LOG__FILTER", "off"),
        ],
    );
    let register = "mutation ($p: String!) { register(input: { username: \"ann\", password: $p }) {
        tokens { accessToken refreshToken } } }";
    let pair = server.graphql("", register, json!({ "p": PASSWORD }))["data"]["register"]["tokens"].clone();
    let token = pair["accessToken"].as_str().unwrap();
    let before = server.resident_kib();
    // Until every observation was made, however slow this machine is.
    let (stop, sent) = (AtomicBool::new(false), AtomicUsize::new(0));
    let statuses = std::thread::scope(|scope| {
        let floods: Vec<_> = (0..24)
            .map(|thread| {
                let (server, stop, sent) = (&server, &stop, &sent);
                scope.spawn(move || {
                    let mut statuses = BTreeMap::new();
                    let mut number = thread;
                    while !stop.load(Ordering::SeqCst) {
                        number += 24;
                        let from = format!("x-forwarded-for: 198.51.{}.{}\r\n", number % 2, number % 125);
                        let answer = server.send("/login", &from, &wrong_login(number));
                        *statuses.entry(status(&answer)).or_insert(0) += 1;
                        sent.fetch_add(1, Ordering::SeqCst);
                    }
                    statuses
                })
            })
            .collect();
        // Requests without password are served meanwhile (L3).
        let end = AbortOnDrop(&stop);
        let mut served = 0;
        while served < 10 || sent.load(Ordering::SeqCst) < 500 {
            let me = server.graphql(token, "{ me { username } }", json!({}));
            assert_eq!(me["data"]["me"]["username"], "ann", "{me}");
            served += 1;
        }
        drop(end);
        let mut statuses = BTreeMap::new();
        for (status, count) in floods.into_iter().flat_map(|flood| flood.join().unwrap()) {
            *statuses.entry(status).or_insert(0) += count;
        }
        statuses
    });
    assert!(statuses.keys().all(|status| [401, 429, 503].contains(status)), "{statuses:?}");
    assert!(statuses.contains_key(&401) && statuses.len() > 1, "{statuses:?}");
    let grown = server.resident_kib().saturating_sub(before);
    assert!(grown < 2 * 19_456 + 64 * 1024, "{grown} KiB");
    // Over as soon as the load stops.
    let login =
        server.send("/login", "x-forwarded-for: 203.0.113.7\r\n", &json!({ "username": "ann", "password": PASSWORD }));
    assert_eq!(status(&login), 200);
    server.stop();
}

/// L3: refresh, logout and `me` need no hash and succeed while hashing is saturated.
#[tokio::test]
async fn login_load_does_not_starve_authenticated_requests() {
    let app = with_slow_hashing().await;
    let ann = app.user("ann").await;
    let requests: Vec<_> = (0..60)
        .map(|number| {
            let anonymous = app.anonymous();
            tokio::spawn(async move { anonymous.json(Method::POST, "/login", &wrong_login(number)).await })
        })
        .collect();
    let mut ann = ann;
    for _ in 0..5 {
        assert_eq!(ann.me_code().await, None);
        let refreshed = ann.refresh(ann.refresh_token.as_deref().unwrap()).await;
        ann = ann.signed_in(&refreshed.data()["refresh"]);
    }
    let logout = ann.send("mutation { logout { ok } }", json!({})).await;
    assert_eq!(logout.data()["logout"]["ok"], true);
    let mut busy = 0;
    for answer in requests {
        let answer = answer.await.unwrap();
        assert!(matches!(answer.status.as_u16(), 401 | 503), "{}", answer.text);
        busy += usize::from(answer.status == 503);
    }
    assert!(busy > 0, "the load was too low");
}

async fn register(anonymous: Actor, number: usize) -> Option<String> {
    let query = "mutation ($name: String!, $password: String!) {
        register(input: { username: $name, password: $password }) { status errors { code } }
    }";
    anonymous.send(query, json!({ "name": format!("n{number}"), "password": PASSWORD })).await.code()
}

/// L4: registrations queue with logins; refused ones leave no rows.
#[tokio::test]
async fn registration_load_is_bounded_by_hashing_capacity() {
    let app = with_slow_hashing().await;
    let requests: Vec<_> = (0..60).map(|number| tokio::spawn(register(app.anonymous(), number))).collect();
    let mut made = 0;
    for code in requests {
        match code.await.unwrap().as_deref() {
            None => made += 1,
            Some(code) => assert_eq!(code, "SERVER_BUSY"),
        }
    }
    assert!((1..60).contains(&made), "{made}");
    assert_eq!(user::Entity::find().count(app.app.db.reader()).await.unwrap(), made);
}

/// L5
#[tokio::test]
async fn expensive_queries_do_not_starve_a_login() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    for number in 0..100 {
        app.user(&format!("user-{number}")).await;
    }
    let query = "{ users(first: 100) { totalCount nodes { id username status roles sessions(first: 10) { nodes { id ip } } } } }";
    // As many as this machine serves in sequence while a request waits for a connection.
    let begun = Instant::now();
    root.send(query, json!({})).await.data();
    let count = (ACQUIRE_TIMEOUT.as_micros() / begun.elapsed().as_micros()).clamp(10, 100);
    let questions: Vec<_> = (0..count)
        .map(|_| {
            let root = root.clone();
            tokio::spawn(async move { root.send(query, json!({})).await })
        })
        .collect();
    let login = app.anonymous().login("user-7", PASSWORD).await;
    assert_eq!(login.payload_error("login"), None);
    let mut busy: u128 = 0;
    for question in questions {
        let code = question.await.unwrap().code();
        assert!(code.as_deref().is_none_or(|code| code == "SERVER_BUSY"), "{code:?}");
        busy += u128::from(code.is_some());
    }
    // A request for a hundred lists takes one place in the connection queue, like one for two.
    assert!(busy * 4 < count, "{busy} of {count} requests found no connection");
}

/// L5: a request without connection in time gets SERVER_BUSY; nothing breaks.
#[tokio::test]
async fn exhausted_connection_pool_answers_server_busy() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let mut taken = Vec::new();
    // Until the pool reports exhaustion, after its own timeout.
    while let Ok(connection) = app.app.db.reader().begin().await {
        taken.push(connection);
    }
    assert!(!taken.is_empty());
    let answer = ann.send("{ me { id } }", json!({})).await;
    assert_eq!(answer.code().as_deref(), Some("SERVER_BUSY"), "{}", answer.text);
    drop(taken);
    assert_eq!(ann.me_code().await, None);
}
