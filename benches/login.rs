//! Login tells nobody who exists: the medians of an unknown name, a wrong password and a disabled account, as a share
//! of one hash, at the real cost of hashing and with all limits on. Every sample is the first failure of another name.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a bench stops at the first surprise")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use accountd::clock::SystemClock;
use accountd::config::{Config, Flags};
use accountd::entropy::SystemEntropy;
use accountd::{http, start};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tower::ServiceExt;

const ROUNDS: usize = 150;
const PASSWORD: &str = "correct-horse-battery-7";

#[tokio::main]
async fn main() {
    let directory = std::env::temp_dir().join(format!("accountd-bench-{}", std::process::id()));
    let flags = Flags { data_dir: Some(directory.clone()), ..Flags::default() };
    let config = Config::load(flags, []).expect("settings");
    let app = start::open(config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await.expect("a service");
    let router = http::router(app.clone()).expect("a router");

    for round in 0..ROUNDS {
        for name in [format!("known{round}"), format!("disabled{round}")] {
            let query = "mutation ($n: String!, $p: String!) {
                register(input: { username: $n, password: $p }) { status errors { code message } } }";
            let answer = send(&router, query, json!({ "n": name, "p": PASSWORD })).await;
            assert_eq!(answer["data"]["register"]["status"], "SIGNED_IN", "{answer}");
        }
        disable(&app, &format!("disabled{round}")).await;
    }

    let secret = PASSWORD.to_owned().into();
    let cases =
        [("unknown name", "nobody", "x"), ("wrong password", "known", "x"), ("disabled account", "disabled", PASSWORD)];
    let mut hashes = Vec::new();
    let mut samples: Vec<Vec<Duration>> = vec![Vec::new(); cases.len()];
    for round in 0..ROUNDS {
        let begun = Instant::now();
        app.hasher.hash(&secret).await.expect("a hash");
        hashes.push(begun.elapsed());
        // In turns, so that a slow moment of the machine strikes all of them.
        for ((_, name, password), times) in cases.iter().zip(&mut samples) {
            times.push(failed_login(&router, &format!("{name}{round}"), password).await);
        }
    }
    let hash = median(&mut hashes);
    println!("one hash: {:.2} ms (median of {ROUNDS})", millis(hash));
    let medians: Vec<Duration> = samples.iter_mut().map(|times| median(times)).collect();
    for ((what, ..), time) in cases.iter().zip(&medians) {
        println!("{what:17} {:.2} ms = {:.3} hashes", millis(*time), time.as_secs_f64() / hash.as_secs_f64());
    }
    let spread = medians.iter().max().unwrap_or(&hash).abs_diff(*medians.iter().min().unwrap_or(&hash));
    let share = spread.as_secs_f64() / hash.as_secs_f64();
    println!("widest difference: {:.1} % of one hash (wanted: below 5 %)", share * 100.0);
    std::fs::remove_dir_all(directory).expect("the directory goes");
    assert!(share < 0.05, "the time of a login tells who exists");
}

async fn failed_login(router: &Router, name: &str, password: &str) -> Duration {
    let query = "mutation ($n: String!, $p: String!) {
        login(input: { username: $n, password: $p }) { errors { code } } }";
    let begun = Instant::now();
    let answer = send(router, query, json!({ "n": name, "p": password })).await;
    let time = begun.elapsed();
    assert_eq!(answer["data"]["login"]["errors"][0]["code"], "INVALID_CREDENTIALS", "{answer}");
    time
}

async fn send(router: &Router, query: &str, variables: Value) -> Value {
    let body = json!({ "query": query, "variables": variables }).to_string();
    let request = Request::post("/graphql").header("content-type", "application/json").body(Body::from(body));
    let answer = router.clone().oneshot(request.expect("a request")).await.expect("an answer");
    let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.expect("a body");
    serde_json::from_slice(&bytes).expect("JSON")
}

async fn disable(app: &accountd::app::App, name: &str) {
    use accountd::store::{Scope, users};
    let user =
        users::find_by_username(app.db.reader(), Scope::Installation, name).await.expect("a query").expect("a user");
    let now = app.clock.now();
    users::update_status(app.db.writer(), &user, entity::user::Status::Disabled, now).await.expect("an update");
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
