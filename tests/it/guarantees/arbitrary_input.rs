//! Whatever is sent: never a 5xx, never an internal error, never a panic.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, Request};
use http_body_util::BodyExt;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;
use tower::ServiceExt;

use crate::support::schema_inputs::base_type;
use crate::support::{Actor, TestApp, TestResponse};

use generators::{SCHEMA, any_json, matching_operation, operation, text};

mod generators;

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

    /// Sends a body as JSON, by the administrator or by nobody.
    fn send(&self, as_admin: bool, body: impl Into<Body>) -> TestResponse {
        let actor = if as_admin { self.admin.clone() } else { self.app.anonymous() };
        let headers = [("content-type", "application/json")];
        self.runtime.block_on(actor.request(Method::POST, "/graphql", &headers, body))
    }

    /// Another administrator, if a case has ended the session; it may have changed the name and the password, too.
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

/// What no answer may be.
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
fn arbitrary_bytes_as_body_cause_no_5xx() {
    let target = Target::new();
    check(256, &(any::<bool>(), prop::collection::vec(any::<u8>(), 0..300)), |(as_admin, bytes)| {
        assert_no_fault(&target.send(as_admin, bytes))
    });
}

#[test]
fn arbitrary_json_as_body_causes_no_5xx() {
    let target = Target::new();
    check(192, &(any::<bool>(), any_json()), |(as_admin, body)| {
        assert_no_fault(&target.send(as_admin, body.to_string()))
    });
    let members = (any_json(), any_json(), any_json(), any_json(), any::<bool>());
    check(192, &members, |(query, variables, name, extensions, valid)| {
        let query = if valid { json!("query Q($a: ID!) { node(id: $a) { id } }") } else { query };
        let body = json!({ "query": query, "variables": variables, "operationName": name, "extensions": extensions });
        assert_no_fault(&target.send(true, body.to_string()))
    });
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

/// Every argument and every input of the schema, those that come later included.
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

/// What becomes part of a statement, one at a time.
#[test]
fn arbitrary_search_text_causes_no_internal_error() {
    let target = Target::new();
    let ann = &target.ann.id;
    let assign = format!(
        "mutation ($text: String!) {{ setUserRoles(input: {{ userId: \"{ann}\", roles: [$text] }}) {{ user {{ id }} errors {{ code }} }} }}"
    );
    let places = [
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
    let places: Vec<String> = places.map(str::to_owned).into();
    check(400, &(prop::sample::select(places), text()), |(place, text)| {
        let body = json!({ "query": place, "variables": { "text": text } });
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

/// What serde_json does not write: escapes of half a character, and numbers that no type holds.
#[test]
fn unusual_json_as_body_causes_no_5xx() {
    let target = Target::new();
    let raw = [
        r#""\ud800""#,
        r#""\udc00\ud800""#,
        r#""a\ud83d""#,
        r#""\u0000""#,
        "1e999",
        "-1e999",
        "1E-999",
        "-0",
        "123456789012345678901234567890",
        "0.1e1",
        "NaN",
        "Infinity",
        "01",
        "\"\u{7f}\"",
        "\"\t\"",
    ];
    for field in SCHEMA.root_fields.keys() {
        for (name, of_type) in &SCHEMA.root_fields[field] {
            let members = SCHEMA.objects.get(base_type(of_type)).into_iter().flatten();
            let places = members.map(|(member, _)| format!(r#"{{"{member}":@}}"#)).chain(["@".to_owned()]);
            for place in places {
                for value in raw {
                    let query = json!(operation(field));
                    let body = format!(r#"{{"query":{query},"variables":{{"{name}":{}}}}}"#, place.replace('@', value));
                    assert_no_fault(&target.send(true, body)).unwrap();
                }
            }
        }
    }
}

#[test]
fn arbitrary_header_values_cause_no_5xx() {
    const NAMES: [&str; 8] =
        ["authorization", "accept", "content-type", "user-agent", "content-length", "x-request-id", "cookie", "origin"];
    let target = Target::new();
    let token = target.admin.token.clone().unwrap();
    let bytes = prop::collection::vec(prop_oneof![Just(b'\t'), 32..=126_u8, 128..=255_u8], 0..60);
    let known = prop::sample::select(vec![
        "Bearer".to_owned(),
        format!("Bearer {token}"),
        format!("Bearer {token}x"),
        format!("bearer\t{token} {token}"),
        "Bearer a.b.c".to_owned(),
        "Basic YTpi".to_owned(),
        format!("Bearer {}", "a".repeat(5_000)),
        "application/json".to_owned(),
        "application/json;q=1e999".to_owned(),
        "*/*;q=NaN, text/html;q=-1".to_owned(),
        ",;,=;q".to_owned(),
        "application/json; charset=\"".to_owned(),
        "text/html".to_owned(),
    ])
    .prop_map(String::into_bytes);
    let value = prop_oneof![bytes, known].boxed();
    let header = (prop::sample::select(NAMES.as_slice()), value);
    let paths = prop::sample::select(vec![
        "/graphql",
        "/graphql?query=%7Bme%7Bid%7D%7D",
        "/healthz",
        "/nothing",
        "/login",
        "/logout",
        "/register",
        "/token-refresh",
        "/token-validation",
    ]);
    let request = (any::<bool>(), paths, prop::collection::vec(header, 0..5));
    check(400, &request, |(by_post, path, headers)| {
        let method = if by_post { Method::POST } else { Method::GET };
        let mut request =
            Request::builder().method(method).uri(path).body(Body::from("{\"query\":\"{ me { id } }\"}")).unwrap();
        for (name, value) in headers {
            request.headers_mut().append(HeaderName::from_static(name), HeaderValue::from_bytes(&value).unwrap());
        }
        let answer = target.runtime.block_on(async {
            let response = target.app.router.clone().oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let text = String::from_utf8_lossy(&body.collect().await.unwrap().to_bytes()).into_owned();
            TestResponse { status: parts.status, headers: parts.headers, text }
        });
        assert_no_fault(&answer)
    });
}

#[test]
fn arbitrary_query_string_causes_no_5xx() {
    let target = Target::new();
    let pairs = prop::collection::vec(
        (prop::sample::select(vec!["query", "variables", "operationName", "extensions", "x"]), "[!-~&&[^#]]{0,40}"),
        0..5,
    );
    check(256, &pairs, |pairs| {
        let query: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let path = format!("/graphql?{}", query.join("&"));
        if path.parse::<axum::http::Uri>().is_err() {
            return Ok(());
        }
        assert_no_fault(&target.runtime.block_on(target.admin.request(Method::GET, &path, &[], "")))
    });
}

/// Deep nesting overflows a stack before it uses up 64 KiB (RUSTSEC-2022-0037).
#[test]
fn deep_nesting_causes_no_5xx() {
    let target = Target::new();
    let deep = 20_000;
    let queries = [
        "{a".repeat(deep),
        format!("{{ node(id: {}", "[".repeat(deep)),
        format!("{{ node(id: {}", "{a:".repeat(deep)),
        format!("query ($a: {}", "[".repeat(deep)),
        "{...{".repeat(deep / 2),
        "(".repeat(deep),
        format!("{{ me {} }}", "@a".repeat(deep)),
        format!("{{{}}}", "a:me ".repeat(deep / 2)),
    ];
    for query in queries {
        assert_no_fault(&target.send(true, json!({ "query": query }).to_string())).unwrap();
    }
    for variables in ["[".repeat(60_000), "{\"a\":".repeat(12_000)] {
        let body = format!(r#"{{"query":"{{ __typename }}","variables":{{"a":{variables}"#);
        assert_no_fault(&target.send(true, body)).unwrap();
    }
}
