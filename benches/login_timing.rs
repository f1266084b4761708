//! Login timing reveals no account: the medians of an unknown name, a wrong password and a disabled account, as a share
//! of one hash, at the real hashing cost and with all limits on. Every sample is the first failure of another name.

use std::sync::Arc;
use std::time::{Duration, Instant};

use accountd::clock::SystemClock;
use accountd::config::{Config, Flags};
use accountd::entropy::SystemEntropy;
use accountd::{http, startup};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tower::ServiceExt;

use crate::report::Report;
use crate::server::TempDirectory;
use crate::{PASSWORD, median};

const ROUNDS: usize = 150;

/// Measures the time of failed logins.
pub fn measure(report: &mut Report) {
    Runtime::new().expect("a runtime").block_on(compare(report));
}

async fn compare(report: &mut Report) {
    let directory = TempDirectory::new();
    let flags = Flags { data_dir: Some(directory.path().to_owned()), ..Flags::default() };
    let config = Config::load(flags, []).expect("settings");
    let app = startup::open(config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await.expect("a service");
    let router = http::router(app.clone()).expect("a router");

    for round in 0..ROUNDS {
        for name in [format!("known{round}"), format!("disabled{round}")] {
            let query = "mutation ($n: String!, $p: String!) {
                register(input: { username: $n, password: $p }) { status errors { code message } } }";
            let response = send(&router, query, json!({ "n": name, "p": PASSWORD })).await;
            assert_eq!(response["data"]["register"]["status"], "SIGNED_IN", "{response}");
        }
        disable(&app, &format!("disabled{round}")).await;
    }

    let secret = PASSWORD.to_owned().into();
    let cases = [
        ("unknown name", "unknown", "x"),
        ("wrong password", "known", "x"),
        ("disabled account", "disabled", PASSWORD),
    ];
    let mut hashes = Vec::new();
    let mut samples: Vec<Vec<Duration>> = vec![Vec::new(); cases.len()];
    for round in 0..ROUNDS {
        let started = Instant::now();
        app.hasher.hash(&secret).await.expect("a hash");
        hashes.push(started.elapsed());
        // Interleaved, so that a slow moment of the machine affects all cases.
        for ((_, name, password), times) in cases.iter().zip(&mut samples) {
            times.push(failed_login(&router, &format!("{name}{round}"), password).await);
        }
    }
    let hash = median(hashes).as_secs_f64();
    let medians: Vec<f64> = samples.into_iter().map(|times| median(times).as_secs_f64() / hash).collect();
    let (minimum, maximum) =
        (medians.iter().copied().fold(f64::MAX, f64::min), medians.iter().copied().fold(0.0, f64::max));
    let spread = format!("{:.1} % of one hash", (maximum - minimum) * 100.0);
    report.record_with_target("largest time difference of unknown, wrong and disabled logins", spread, "below 5 %");
}

async fn failed_login(router: &Router, name: &str, password: &str) -> Duration {
    let query = "mutation ($n: String!, $p: String!) {
        login(input: { username: $n, password: $p }) { errors { code } } }";
    let started = Instant::now();
    let response = send(router, query, json!({ "n": name, "p": password })).await;
    let time = started.elapsed();
    assert_eq!(response["data"]["login"]["errors"][0]["code"], "INVALID_CREDENTIALS", "{response}");
    time
}

async fn send(router: &Router, query: &str, variables: Value) -> Value {
    let body = json!({ "query": query, "variables": variables }).to_string();
    let request = Request::post("/graphql").header("content-type", "application/json").body(Body::from(body));
    let response = router.clone().oneshot(request.expect("a request")).await.expect("a response");
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.expect("a body");
    serde_json::from_slice(&bytes).expect("JSON")
}

async fn disable(app: &accountd::app::App, name: &str) {
    use entity::user::{ActiveModel, Column, Entity, Status};
    use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
    let disabled = ActiveModel { status: Set(Status::Disabled), ..Default::default() };
    let named = Entity::update_many().set(disabled).filter(Column::UsernameKey.eq(name));
    named.exec(app.db.writer()).await.expect("an update");
}
