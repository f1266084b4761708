//! Any bytes as the body of a request: the guard before execution comes back soon and never panics.

#![no_main]

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use accountd::config::{Config, Flags, OperationLimits};
use accountd::graphql::limits;
use async_graphql::{Request, Variables};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// What the server starts with when nobody sets anything.
static LIMITS: LazyLock<OperationLimits> =
    LazyLock::new(|| Config::load(Flags::default(), []).expect("the defaults are good").graphql.limits);

/// Generous for an instrumented build: a bomb that goes off takes minutes.
const SOON: Duration = Duration::from_secs(2);

fuzz_target!(|bytes: &[u8]| {
    for mut request in requests(bytes) {
        let begun = Instant::now();
        // What passes alone can be too much when it comes twice.
        let mut again = Request::new(request.query.clone());
        if limits::check(&mut request, &LIMITS).is_ok() {
            limits::check_all(vec![&mut request, &mut again], &LIMITS).ok();
        }
        assert!(begun.elapsed() < SOON, "it took {:?}", begun.elapsed());
    }
});

/// The bytes as JSON, one request or an array, and as the text of a query.
fn requests(bytes: &[u8]) -> Vec<Request> {
    let mut requests = vec![Request::new(String::from_utf8_lossy(bytes))];
    match serde_json::from_slice(bytes) {
        Ok(Value::Array(many)) => requests.extend(many.into_iter().map(request)),
        Ok(one) => requests.push(request(one)),
        Err(_) => {}
    }
    requests
}

fn request(mut json: Value) -> Request {
    let query = json.get("query").and_then(Value::as_str).unwrap_or_default().to_owned();
    let variables = json.get_mut("variables").map(Value::take).unwrap_or_default();
    Request::new(query).variables(Variables::from_json(variables))
}
