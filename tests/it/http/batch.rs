//! Arrays of requests, as Apollo's `BatchHttpLink` sends them: refused, or limited as a whole.

use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{Actor, TestApp, TestResponse};

const GRAPHQL: &str = "application/graphql-response+json";

async fn batched() -> TestApp {
    TestApp::with(&[("ACCOUNTD_GRAPHQL__MAX_BATCH", "10")]).await
}

async fn send(actor: &Actor, queries: &[&str]) -> TestResponse {
    let requests: Vec<Value> = queries.iter().map(|query| json!({ "query": query })).collect();
    actor.json(Method::POST, "/graphql", &requests.into()).await
}

async fn send_accepting(actor: &Actor, accept: &str, body: &Value) -> TestResponse {
    let headers = [("content-type", "application/json"), ("accept", accept)];
    actor.request(Method::POST, "/graphql", &headers, body.to_string()).await
}

/// The code of the first error of each response, if any.
fn codes(answer: &TestResponse) -> Vec<Option<String>> {
    let code = |one: &Value| one["errors"][0]["extensions"]["code"].as_str().map(str::to_owned);
    answer.json().as_array().unwrap_or_else(|| panic!("no array: {}", answer.text)).iter().map(code).collect()
}

fn register(name: &str) -> String {
    let input = format!("{{ username: \"{name}\", password: \"correct-horse-battery-7\" }}");
    format!("mutation {{ register(input: {input}) {{ user {{ username }} }} }}")
}

async fn exists(app: &TestApp, name: &str) -> bool {
    let path = format!("/login?username={name}");
    app.anonymous().request(Method::GET, &path, &[], "").await.json()["exists"] == true
}

/// A4
#[tokio::test]
async fn batch_is_refused_unless_enabled() {
    let app = TestApp::new().await;
    let request = json!({ "query": register("ann") });
    // serde also reads structures from arrays of their members.
    for body in [json!([]), json!([request]), json!([request, request]), json!([register("ann"), null, null, null])] {
        for accept in ["*/*", GRAPHQL] {
            let answer = send_accepting(&app.anonymous(), accept, &body).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_deref()), (400, Some("BAD_REQUEST")), "{body}");
        }
    }
    let json = [("content-type", "application/json")];
    assert_eq!(app.anonymous().request(Method::POST, "/graphql", &json, " \n[{}]").await.status, 400);
    assert!(!exists(&app, "ann").await);
}

/// A4: an array is one request, so it hashes one password.
#[tokio::test]
async fn batch_responses_keep_the_request_order() {
    let app = batched().await;
    let queries = [register("ann"), "{ __typename }".to_owned(), register("ann"), "{ nope }".to_owned()];
    let answer = send(&app.anonymous(), &queries.each_ref().map(String::as_str)).await;
    assert_eq!(answer.status, 200);
    let expected = [None, None, Some("ONE_CREDENTIAL_CHECK_PER_REQUEST"), Some("GRAPHQL_VALIDATION_FAILED")];
    assert_eq!(codes(&answer), expected.map(|code| code.map(str::to_owned)));
    assert_eq!(answer.json()[0]["data"]["register"]["user"]["username"], "ann");
    assert_eq!(answer.json()[1], json!({ "data": { "__typename": "Query" } }));
}

#[tokio::test]
async fn batch_above_configured_size_is_refused() {
    let app = TestApp::with(&[("ACCOUNTD_GRAPHQL__MAX_BATCH", "3")]).await;
    let one = "{ __typename }";
    assert_eq!(send(&app.anonymous(), &[one]).await.json(), json!([{ "data": { "__typename": "Query" } }]));
    assert_eq!(codes(&send(&app.anonymous(), &[one; 3]).await), [None, None, None]);
    for queries in [&[][..], &[one; 4]] {
        let answer = send(&app.anonymous(), queries).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_deref()), (400, Some("BAD_REQUEST")));
    }
}

/// Nothing runs when one element is invalid, or when they exceed a limit together.
#[tokio::test]
async fn batch_with_an_invalid_request_runs_nothing() {
    let app = batched().await;
    let good = json!({ "query": register("ann") });
    for bad in [json!(null), json!({}), json!([]), json!(["{ __typename }", null, null, null]), json!([good])] {
        let answer = app.anonymous().json(Method::POST, "/graphql", &json!([good, bad])).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_deref()), (400, Some("BAD_REQUEST")), "{bad}");
    }
    let heavy = format!("{{ {} }}", "me { id } ".repeat(10));
    let answer = send(&app.anonymous(), &[&register("ann"), &heavy]).await;
    assert_eq!(codes(&answer), vec![Some("OPERATION_TOO_COMPLEX".to_owned()); 2]);
    assert_eq!(answer.status, 200);
    assert!(!exists(&app, "ann").await);
}

/// A limit, a query of a given size, and the largest size that passes.
type Case<'a> = (&'a str, &'a dyn Fn(usize) -> String, usize);

/// Each limit applies to the array as to one request: two halves pass, one more does not.
#[tokio::test]
async fn batch_limits_apply_to_the_whole_array() {
    let app = batched().await;
    let ann = app.user("ann").await;
    let cases: [Case<'_>; 5] = [
        (
            "max_aliases",
            &|count| format!("{{ me {{ id {} }} }}", (0..count).map(|n| format!("a{n}: id ")).collect::<String>()),
            15,
        ),
        ("max_root_fields", &|count| format!("{{ {} }}", "me { id } ".repeat(count)), 10),
        ("max_directives", &|count| format!("{{ me {{ id {} }} }}", "@include(if: true) ".repeat(count)), 20),
        ("max_tokens", &|count| format!("{{ me {{ {} }} }}", "id ".repeat(count - 5)), 1_000),
        ("max_query_bytes", &|count| format!("{{ me {{ id }} }} #{}", "x".repeat(count - 15)), 16_384),
    ];
    for (limit, query, most) in cases {
        let request = |count| json!({ "query": query(count) });
        let half = most / 2;
        let at = ann.json(Method::POST, "/graphql", &json!([request(half), request(most - half)])).await;
        assert!(!at.text.contains("OPERATION_TOO_COMPLEX"), "{limit}: {}", at.text);
        let beyond = ann.json(Method::POST, "/graphql", &json!([request(half), request(most - half + 1)])).await;
        assert_eq!(beyond.json()[0]["errors"][0]["extensions"]["limit"], format!("graphql.{limit}"));
        assert_eq!(codes(&beyond), vec![Some("OPERATION_TOO_COMPLEX".to_owned()); 2]);
    }
    let variables = |count: usize| -> Value { (0..count).map(|n| (format!("v{n}"), json!(n))).collect() };
    let request = |count| json!({ "query": "{ me { id } }", "variables": variables(count) });
    assert_eq!(codes(&ann.json(Method::POST, "/graphql", &json!([request(50), request(50)])).await), [None, None]);
    let beyond = ann.json(Method::POST, "/graphql", &json!([request(50), request(51)])).await;
    assert_eq!(beyond.json()[1]["errors"][0]["extensions"]["limit"], "graphql.max_variables");
    // Depth is per operation.
    let deep = "{ me { sessions { nodes { id } } } }";
    assert_eq!(codes(&send(&ann, &[deep; 4]).await), vec![None; 4]);
}

/// Complexity is known when a request is about to run: earlier ones have run, this one and costlier ones do not.
#[tokio::test]
async fn batch_complexity_counts_the_whole_array() {
    let app = batched().await;
    let root = app.admin("root").await;
    let dear = "{ users(first: 100) { nodes { id username displayName email status roles createdAt updatedAt
        lastSignInAt mustChangePassword sessions(first: 1) { nodes { id ip } } } } }";
    assert_eq!(root.send(dear, json!({})).await.code(), None);
    let answer = send(&root, &[dear, dear, dear, dear, "{ me { id } }"]).await;
    let codes = codes(&answer);
    assert_eq!(codes[0], None);
    assert_eq!(codes[3].as_deref(), Some("OPERATION_TOO_COMPLEX"), "{codes:?}");
    assert_eq!(codes[4], None, "cheap requests still fit");
    assert_eq!(answer.json()[3]["errors"][0]["extensions"]["limit"], "graphql.max_complexity");
}

/// The array has one status.
#[tokio::test]
async fn batch_status_is_the_common_status() {
    let app = batched().await;
    let request = |query: &str| json!({ "query": query });
    let (refused, wrong, good) = (request("{ users { totalCount } }"), request("{ nope }"), request("{ __typename }"));
    for (body, status, challenge) in [
        (json!([refused, refused]), 401, Some("Bearer")),
        (json!([wrong, wrong]), 400, None),
        (json!([refused, wrong]), 200, None),
        (json!([good, wrong]), 200, None),
    ] {
        let answer = send_accepting(&app.anonymous(), GRAPHQL, &body).await;
        assert_eq!((answer.status.as_u16(), answer.header("www-authenticate")), (status, challenge), "{body}");
        assert_eq!(answer.json().as_array().unwrap().len(), 2);
        assert_eq!(send_accepting(&app.anonymous(), "*/*", &body).await.status, 200);
    }
}

/// The maximum is the setting: document limits do not bound the array size.
#[tokio::test]
async fn batch_of_the_maximum_size_is_accepted() {
    let app = batched().await;
    let answer = send(&app.anonymous(), &["{ __typename }"; 10]).await;
    assert_eq!(codes(&answer), vec![None; 10], "{}", answer.text);
}
