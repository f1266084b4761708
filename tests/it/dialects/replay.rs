//! Replays the recording of an older service against its dialect: every request in order, every response compared.
//!
//! A recording is a list of `{name, request, response, capture?, define?, client?, before?}`; strings may hold
//! placeholders such as `<jwt>` and `<var:NAME>`. Not compared: `Access-Control-*`, because `cors.origins` decides on
//! origins, and the content of tokens, because they are accountd's own.

pub mod imported_user;
mod pattern;
mod variables;

use std::collections::BTreeMap;

use axum::http::Method;
use serde_json::Value;

use crate::support::{TestApp, TestResponse};
use pattern::{matches, matches_text};

/// An entry with a deliberately different response: its name, the expected status and part of the body, and the reason.
pub type Difference = (&'static str, u16, &'static str, &'static str);

/// Values of placeholders in requests, by the whole placeholder: `<var:NAME>`, or one of the recording's own.
pub type Variables = BTreeMap<String, String>;

/// How the recording of a service is replayed.
pub trait Service {
    /// The recording.
    const RECORDED: &'static str;

    /// The request path in place of the recorded one.
    fn path(&self, path: &str) -> String {
        path.to_owned()
    }

    /// The request body in place of the recorded one.
    fn sent(&self, recorded: &Value) -> Value {
        recorded.clone()
    }

    /// The header to compare, if the dialect sends more than the service did.
    fn header(&self, _name: &str, value: &str) -> String {
        value.to_owned()
    }

    /// The same for a body that is not JSON.
    fn text(&self, answer: &TestResponse) -> String {
        answer.text.clone()
    }

    /// The body to compare, if the dialect sends more than the service did.
    fn body(&self, answer: &TestResponse) -> Value {
        answer.json()
    }

    /// Runs before an entry: advances the clock, or creates a user that the entry needs.
    async fn before(&mut self, _app: &TestApp, _entry: &str, _variables: &mut Variables) {}
}

/// Sends every recorded request in order, and reports all responses that are neither recorded nor a listed difference.
/// A listed difference that does not differ, or was never recorded, is an error in the list.
pub async fn play<S: Service>(app: &TestApp, service: &mut S, differences: &[Difference]) {
    let entries: Vec<Value> = serde_json::from_str(S::RECORDED).unwrap();
    let mut variables = Variables::new();
    let mut surprises = Vec::new();
    for entry in &entries {
        let name = entry["name"].as_str().unwrap();
        variables::define(entry, &mut variables);
        service.before(app, name, &mut variables).await;
        prepare(app, service, entry).await;
        let answer = send(app, service, entry, &entry["request"], &variables).await;
        variables::store_captures(entry, &answer, &mut variables);
        let found = compare(service, &entry["response"], &answer);
        match (differences.iter().find(|difference| difference.0 == name), found) {
            (None, Ok(())) => {}
            (None, Err(difference)) => surprises.push(format!("{name}: {difference}")),
            (Some(_), Ok(())) => surprises.push(format!("{name}: is listed and does not differ")),
            (Some((_, status, text, reason)), Err(_)) => {
                if answer.status.as_u16() != *status || !answer.text.contains(text) {
                    let (status, text) = (answer.status, &answer.text);
                    surprises.push(format!("{name}: differs in another way than that {reason}: {status} {text}"));
                }
            }
        }
    }
    for (name, ..) in differences {
        assert!(entries.iter().any(|entry| entry["name"] == *name), "{name} is listed and not recorded");
    }
    assert!(surprises.is_empty(), "{} surprises: {surprises:#?}", surprises.len());
}

/// Maximum repetitions of a request until its response changes.
const PLAY_TIMEOUT: u64 = 12;

/// Repeats the requests that must precede the entry.
async fn prepare(app: &TestApp, service: &impl Service, entry: &Value) {
    let request = &entry["before"];
    let until_not = request["repeat_until_status_not"].as_u64();
    for _ in 0..request["repeat"].as_u64().or(until_not.map(|_| PLAY_TIMEOUT)).unwrap_or_default() {
        let answer = send(app, service, entry, request, &Variables::new()).await;
        if until_not.is_some_and(|status| status != u64::from(answer.status.as_u16())) {
            return;
        }
    }
}

async fn send(
    app: &TestApp,
    service: &impl Service,
    entry: &Value,
    request: &Value,
    variables: &Variables,
) -> TestResponse {
    let name = entry["name"].as_str().unwrap();
    let filled = |text: &str| {
        let text = variables.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value));
        assert!(!text.contains("<var:"), "{name}: {text} holds an undefined variable");
        text
    };
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in request["headers"].as_object().into_iter().flatten() {
        headers.push((name.to_ascii_lowercase(), filled(value.as_str().unwrap())));
    }
    // A repeated request is recorded without headers.
    if request.get("json").is_some() && !headers.iter().any(|(name, _)| name == "content-type") {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let body = match (request.get("json"), request.get("body")) {
        (Some(json), _) => filled(&service.sent(json).to_string()),
        (None, Some(body)) => filled(body.as_str().unwrap_or_default()),
        (None, None) => String::new(),
    };
    let method = Method::from_bytes(request["method"].as_str().unwrap().as_bytes()).unwrap();
    let path = service.path(&filled(request["path"].as_str().unwrap()));
    let mut caller = app.anonymous();
    if let Some(address) = entry["client"].as_str() {
        caller = caller.at_address(address);
    }
    caller.request(method, &path, &headers, body).await
}

/// Compares status, headers and body.
fn compare(service: &impl Service, recorded: &Value, answer: &TestResponse) -> Result<(), String> {
    let differing = || format!("recorded {recorded}, answered {} {:?} {}", answer.status, answer.headers, answer.text);
    let mut is_same = recorded["status"].as_u64() == Some(answer.status.as_u16().into());
    for (name, value) in recorded["headers"].as_object().into_iter().flatten() {
        let (value, found) = (value.as_str().unwrap(), answer.header(name));
        is_same &= match name.as_str() {
            "access-control-allow-origin" => true,
            "allow" => found.is_some_and(|found| members(found) == members(value)),
            "vary" => found.is_some_and(|found| members(value).iter().all(|member| members(found).contains(member))),
            _ => found.is_some_and(|found| matches_text(value, &service.header(name, found))),
        };
    }
    let text = recorded.get("text").and_then(Value::as_str);
    is_same = is_same
        && match (text, recorded.get("json")) {
            (Some(text), _) => matches_text(text, &service.text(answer)),
            (None, Some(json)) => matches(json, &service.body(answer)),
            // The body was not recorded.
            (None, None) => true,
        };
    if is_same { Ok(()) } else { Err(differing()) }
}

/// The members of a comma-separated header, unordered.
fn members(value: &str) -> Vec<String> {
    let mut members: Vec<_> = value.split(',').map(|member| member.trim().to_ascii_lowercase()).collect();
    members.sort();
    members
}
