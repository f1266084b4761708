//! Arbitrary input: never a 5xx, never an internal error, never a panic.

use crate::support::{Actor, TestApp, TestResponse};
use axum::body::Body;
use axum::http::Method;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

use generators::{SCHEMA, any_json, matching_operation, operation, text};

mod generators;
mod requests;

/// One service for all cases of a property.
struct Target {
    runtime: Runtime,
    app: TestApp,
    admin: Actor,
    admins: u32,
    ann: Actor,
}

impl Target {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (app, admin, ann) = runtime.block_on(async {
            let app = TestApp::new().await;
            let admin = app.admin("root").await;
            let ann = app.user("ann").await;
            (app, admin, ann)
        });
        Self { runtime, app, admin, admins: 1, ann }
    }

    /// Sends a body as JSON, as administrator or anonymously.
    fn send(&self, as_admin: bool, body: impl Into<Body>) -> TestResponse {
        let actor = if as_admin { self.admin.clone() } else { self.app.anonymous() };
        let headers = [("content-type", "application/json")];
        self.runtime.block_on(actor.request(Method::POST, "/graphql", &headers, body))
    }

    /// Another administrator, if a case ended the session; it may have changed the name and the password, too.
    fn restore(&mut self) {
        if self.runtime.block_on(self.admin.me_code()).is_some() {
            self.admins += 1;
            self.admin = self.runtime.block_on(self.app.admin(&format!("root-{}", self.admins)));
        }
    }
}

/// Runs the property on `cases` inputs.
fn check<S: Strategy>(cases: u32, strategy: &S, property: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new(config).run(strategy, property).unwrap_or_else(|error| panic!("{error}"));
}

/// Properties of every response.
fn assert_no_fault(answer: &TestResponse) -> Result<(), TestCaseError> {
    prop_assert!(!answer.status.is_server_error(), "{}: {}", answer.status, answer.text);
    if answer.header("content-type").is_some_and(|kind| kind.contains("json")) {
        let json: Value = serde_json::from_str(&answer.text).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let internal = |error: &Value| error["extensions"]["code"] == "INTERNAL";
        prop_assert!(!json["errors"].as_array().into_iter().flatten().any(internal), "{}", answer.text);
        prop_assert!(json["code"] != "INTERNAL", "{}", answer.text);
    }
    Ok(())
}

#[test]
fn arbitrary_words_as_query_cause_no_internal_error() {
    const WORDS: [&str; 34] = [
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ":",
        "!",
        "=",
        "@",
        "$",
        "...",
        "&",
        "|",
        "\"",
        "\"\"\"",
        "#",
        "\n",
        "query",
        "mutation",
        "subscription",
        "fragment",
        "on",
        "me",
        "users",
        "node",
        "id",
        "first",
        "$a",
        "@skip(if: true)",
        "@include(if: $a)",
        "1e999",
        "-",
        "__schema",
    ];
    let target = Target::new();
    let soup = prop::collection::vec(
        prop_oneof![9 => prop::sample::select(&WORDS).prop_map(str::to_owned), 1 => text()],
        0..40,
    );
    check(256, &soup, |words| assert_no_fault(&target.send(true, json!({ "query": words.join(" ") }).to_string())));
}

/// Every argument and every input of the schema, including later ones.
#[test]
fn arbitrary_text_in_every_input_causes_no_internal_error() {
    let target = std::cell::RefCell::new(Target::new());
    check(600, &(prop::bool::weighted(0.8), matching_operation()), |(as_admin, (query, variables))| {
        if as_admin {
            target.borrow_mut().restore();
        }
        let body = json!({ "query": query, "variables": variables });
        assert_no_fault(&target.borrow().send(as_admin, body.to_string()))
    });
}

/// Inputs that become part of a statement, one at a time.
#[test]
fn arbitrary_search_text_causes_no_internal_error() {
    let target = Target::new();
    let ann = &target.ann.id;
    let assign = format!(
        "mutation ($text: String!) {{ setUserRoles(input: {{ userId: \"{ann}\", roles: [$text] }}) {{ user {{ id }} errors {{ code }} }} }}"
    );
    let templates = [
        "query ($text: String) { users(filter: { search: $text }) { totalCount nodes { id } } }",
        "query ($text: String) { users(filter: { email: $text }) { totalCount nodes { id } } }",
        "query ($text: String) { users(filter: { role: $text }) { totalCount nodes { id } } }",
        "query ($text: String) { users(after: $text, orderBy: { field: USERNAME }) { nodes { id } } }",
        "query ($text: String) { users(before: $text, last: 2, orderBy: { field: EMAIL }) { nodes { id } } }",
        "query ($text: String) { users(after: $text, orderBy: { field: LAST_SIGN_IN_AT, direction: DESC }) { nodes { id } } }",
        "query ($text: String) { me { sessions(after: $text) { nodes { id } } } }",
        "query ($text: String) { user(username: $text) { id } }",
        "query ($text: String) { user(email: $text) { id } }",
        &assign,
    ];
    let templates: Vec<String> = templates.map(str::to_owned).into();
    check(400, &(prop::sample::select(templates), text()), |(template, text)| {
        let body = json!({ "query": template, "variables": { "text": text } });
        let answer = target.send(true, body.to_string());
        prop_assert!(!answer.text.contains("GRAPHQL_"), "{}", answer.text);
        assert_no_fault(&answer)
    });
}

#[test]
fn arbitrary_json_as_every_input_causes_no_internal_error() {
    let target = std::cell::RefCell::new(Target::new());
    let fields: Vec<String> =
        SCHEMA.root_fields.keys().filter(|field| !SCHEMA.root_fields[*field].is_empty()).cloned().collect();
    check(400, &(prop::sample::select(fields), any_json()), |(field, value)| {
        target.borrow_mut().restore();
        let variables: Map<String, Value> =
            SCHEMA.root_fields[&field].iter().map(|(name, _)| (name.clone(), value.clone())).collect();
        let body = json!({ "query": operation(&field), "variables": variables });
        assert_no_fault(&target.borrow().send(true, body.to_string()))
    });
}
