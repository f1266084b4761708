//! Cost and timing of rejections: the CPU time of the longest requests from an address with an empty bucket against
//! short ones, and whether the time of a rejected login reveals which accounts exist (promise B2 with the limit
//! reached).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use accountd::app::App;
use accountd::clock::SystemClock;
use accountd::config::{Config, Flags};
use accountd::entropy::SystemEntropy;
use accountd::limits::key::RateLimitKey;
use accountd::{http, startup};
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use tokio::runtime;
use tower::ServiceExt;

use crate::report::Report;
use crate::server::TempDirectory;
use crate::{PASSWORD, median};

/// Number of times each request is sent.
const REQUESTS: usize = 400;

/// The address whose buckets are empty.
const ADDRESS: ([u8; 4], u16) = ([192, 0, 2, 7], 50_000);

/// Measures the cost and the timing of rejections.
pub fn measure(report: &mut Report) {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(compare(report));
}

async fn compare(report: &mut Report) {
    let directory = TempDirectory::new();
    let flags = Flags { data_dir: Some(directory.path().to_owned()), ..Flags::default() };
    let config = Config::load(flags, []).expect("settings");
    let app = startup::open(config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await.expect("a service");
    let router = http::router(app.clone()).expect("a router");
    let register = mutation_body("register", json!({ "username": "known", "password": PASSWORD }));
    send(&router, None, "/graphql", &register).await;

    let long = "\u{fdfa}".repeat(9_000);
    let mut ratios = Vec::new();
    for (path, body) in [
        (
            "/graphql",
            (|text| mutation_body("login", json!({ "username": text, "password": text }))) as fn(&str) -> Value,
        ),
        ("/graphql", |text| mutation_body("register", json!({ "username": "unknown", "password": text }))),
        ("/login", |text| json!({ "username": text, "password": "x" })),
        ("/register", |text| json!({ "username": "unknown", "password": text })),
    ] {
        // Half as long where the text occurs twice: the variables of a request are bounded.
        let text = if path == "/graphql" { &long[..long.len() / 6 * 3] } else { &long };
        let short = median_cpu_seconds(&app, &router, path, &body("unknown")).await;
        ratios.push(median_cpu_seconds(&app, &router, path, &body(text)).await / short);
    }
    let maximum = ratios.into_iter().fold(0.0, f64::max);
    report.record_with_target(
        "CPU time of rejected requests with long texts, relative to short ones",
        format!("{maximum:.1} ×"),
        "5 × or less",
    );

    let mut worst_auc = 0.5_f64;
    for device in [Value::Null, json!("x"), json!(foreign_device_token(&app, &router).await)] {
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..REQUESTS {
            for (name, times) in ["known", "unknown"].into_iter().zip(&mut times) {
                exhaust_buckets(&app).await;
                let body = mutation_body("login", json!({ "username": name, "password": "x", "deviceToken": device }));
                let started = Instant::now();
                send(&router, Some(ADDRESS.into()), "/graphql", &body).await;
                times.push(started.elapsed());
            }
        }
        let [known, unknown] = times;
        let found = auc(&known, &unknown);
        if (found - 0.5).abs() > (worst_auc - 0.5).abs() {
            worst_auc = found;
        }
    }
    report.record_with_target(
        "how well the time of a rejected login predicts whether the account exists (AUC)",
        format!("{worst_auc:.2}"),
        "0.45 to 0.55",
    );
}

/// The probability that a time of the first kind is longer than one of the second (Mann-Whitney); one half if they do
/// not differ.
fn auc(some: &[Duration], others: &[Duration]) -> f64 {
    let longer = some.iter().flat_map(|one| {
        others.iter().map(move |other| f64::from(u8::from(one > other)) + f64::from(u8::from(one == other)) / 2.0)
    });
    longer.sum::<f64>() / (some.len() * others.len()) as f64
}

/// The median CPU time of one rejected request, in seconds.
async fn median_cpu_seconds(app: &App, router: &Router, path: &str, body: &Value) -> f64 {
    let mut times = Vec::new();
    for _ in 0..REQUESTS {
        exhaust_buckets(app).await;
        let started = process_cpu_time();
        let response = send(router, Some(ADDRESS.into()), path, body).await;
        times.push(process_cpu_time().saturating_sub(started).as_secs_f64());
        let is_rejected =
            response.contains("TOO_MANY_ATTEMPTS") || response.contains("Rate limit") || response.contains("Too many");
        assert!(is_rejected, "{path}: {response}");
    }
    median(times)
}

/// Empties the buckets of the address.
async fn exhaust_buckets(app: &App) {
    let address = RateLimitKey::address(SocketAddr::from(ADDRESS).ip());
    let limits = &app.rate_limits;
    let legacy = [&limits.legacy_logins, &limits.legacy_registrations];
    for bucket in [&limits.failed_logins, &limits.registration_attempts].into_iter().chain(legacy) {
        while bucket.take(address, app.clock.now()).await.is_ok() {}
    }
}

/// A device token of another account.
async fn foreign_device_token(_: &App, router: &Router) -> String {
    let register = mutation_body("register", json!({ "username": "other", "password": PASSWORD }));
    send(router, None, "/graphql", &register).await;
    let query = "mutation ($p: String!) { login(input: { username: \"other\", password: $p }) { deviceToken } }";
    let response = send(router, None, "/graphql", &json!({ "query": query, "variables": { "p": PASSWORD } })).await;
    let response: Value = serde_json::from_str(&response).expect("JSON");
    response["data"]["login"]["deviceToken"].as_str().expect("a token").to_owned()
}

fn mutation_body(field: &str, input: Value) -> Value {
    let kind = if field == "login" { "LoginInput" } else { "RegisterInput" };
    let query = format!("mutation ($input: {kind}!) {{ {field}(input: $input) {{ errors {{ code }} }} }}");
    json!({ "query": query, "variables": { "input": input } })
}

async fn send(router: &Router, from: Option<SocketAddr>, path: &str, body: &Value) -> String {
    let mut request = Request::post(path).header("content-type", "application/json");
    if let Some(from) = from {
        request = request.extension(ConnectInfo(from));
    }
    let request = request.body(Body::from(body.to_string())).expect("a request");
    let response = router.clone().oneshot(request).await.expect("a response");
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.expect("a body");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The CPU time of the whole process, hashing threads included.
fn process_cpu_time() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().unwrap_or_default()
}
