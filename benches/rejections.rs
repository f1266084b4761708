//! What refusals cost and tell: the processor time of the longest requests from an address without budget beside short
//! ones, and whether the time of a refused login tells who exists (promise B2 with the limiter spent).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use accountd::app::App;
use accountd::clock::SystemClock;
use accountd::config::{Config, Flags};
use accountd::entropy::SystemEntropy;
use accountd::limits::rate_limits::RateLimitKey;
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

/// How often each request is sent.
const REQUESTS: usize = 400;

/// The address whose budgets are spent.
const ADDRESS: ([u8; 4], u16) = ([192, 0, 2, 7], 50_000);

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
        ("/graphql", |text| mutation_body("register", json!({ "username": "nobody", "password": text }))),
        ("/login", |text| json!({ "username": text, "password": "x" })),
        ("/register", |text| json!({ "username": "nobody", "password": text })),
    ] {
        // Half as long where the text comes twice: the variables of a request are bounded.
        let text = if path == "/graphql" { &long[..long.len() / 6 * 3] } else { &long };
        let short = median_cpu_seconds(&app, &router, path, &body("nobody")).await;
        ratios.push(median_cpu_seconds(&app, &router, path, &body(text)).await / short);
    }
    let most = ratios.into_iter().fold(0.0, f64::max);
    report.record_with_target(
        "refused requests with long texts, beside short ones",
        format!("{most:.1} ×"),
        "5 × or less",
    );

    let mut least_alike = 0.5_f64;
    for device in [Value::Null, json!("x"), json!(foreign_device_token(&app, &router).await)] {
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..REQUESTS {
            for (name, times) in ["known", "nobody"].into_iter().zip(&mut times) {
                exhaust_buckets(&app).await;
                let body = mutation_body("login", json!({ "username": name, "password": "x", "deviceToken": device }));
                let begun = Instant::now();
                send(&router, Some(ADDRESS.into()), "/graphql", &body).await;
                times.push(begun.elapsed());
            }
        }
        let [known, unknown] = times;
        let found = auc(&known, &unknown);
        if (found - 0.5).abs() > (least_alike - 0.5).abs() {
            least_alike = found;
        }
    }
    report.record_with_target(
        "how well the time of a refused login tells who exists (AUC)",
        format!("{least_alike:.2}"),
        "0.45 to 0.55",
    );
}

/// How often a time of the first kind is longer than one of the second (Mann-Whitney): one half if they are alike.
fn auc(some: &[Duration], others: &[Duration]) -> f64 {
    let longer = some.iter().flat_map(|one| {
        others.iter().map(move |other| f64::from(u8::from(one > other)) + f64::from(u8::from(one == other)) / 2.0)
    });
    longer.sum::<f64>() / (some.len() * others.len()) as f64
}

/// The processor time of one refused request, in seconds: the median.
async fn median_cpu_seconds(app: &App, router: &Router, path: &str, body: &Value) -> f64 {
    let mut times = Vec::new();
    for _ in 0..REQUESTS {
        exhaust_buckets(app).await;
        let begun = process_cpu_time();
        let answer = send(router, Some(ADDRESS.into()), path, body).await;
        times.push(process_cpu_time().saturating_sub(begun).as_secs_f64());
        let is_refused =
            answer.contains("TOO_MANY_ATTEMPTS") || answer.contains("Rate limit") || answer.contains("Too many");
        assert!(is_refused, "{path}: {answer}");
    }
    median(times)
}

/// Leaves nothing for the address.
async fn exhaust_buckets(app: &App) {
    let address = RateLimitKey::address(SocketAddr::from(ADDRESS).ip());
    let throttle = &app.throttle;
    let legacy = [&throttle.legacy_logins, &throttle.legacy_registrations];
    for budget in [&throttle.failed_logins, &throttle.registration_attempts].into_iter().chain(legacy) {
        while budget.take(address, app.clock.now()).await.is_ok() {}
    }
}

/// A device token of another account.
async fn foreign_device_token(_: &App, router: &Router) -> String {
    let register = mutation_body("register", json!({ "username": "other", "password": PASSWORD }));
    send(router, None, "/graphql", &register).await;
    let query = "mutation ($p: String!) { login(input: { username: \"other\", password: $p }) { deviceToken } }";
    let answer = send(router, None, "/graphql", &json!({ "query": query, "variables": { "p": PASSWORD } })).await;
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    answer["data"]["login"]["deviceToken"].as_str().expect("a token").to_owned()
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
    let answer = router.clone().oneshot(request).await.expect("an answer");
    let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.expect("a body");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The processor time of the whole process: the hashing threads count.
fn process_cpu_time() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().unwrap_or_default()
}
