//! Automatic persisted queries by Apollo's protocol: every hash is checked, and the store is bounded.

use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{Actor, PASSWORD, TestApp, TestResponse};

const QUERY: &str = "{ __typename }";
/// `printf '{ __typename }' | sha256sum`
const HASH: &str = "7f56e67dd21ab3f30d1ff8b7bed08893f0a0db86449836189b361dd1e56ddb4b";

fn extension(hash: &str) -> Value {
    json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } })
}

async fn post(actor: &Actor, query: Option<&str>, extensions: &Value) -> TestResponse {
    let body = json!({ "query": query, "extensions": extensions });
    actor.json(Method::POST, "/graphql", &body).await
}

async fn get(actor: &Actor, query: &str, hash: &str) -> TestResponse {
    let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    let query = if query.is_empty() { String::new() } else { format!("query={}&", encoded(query)) };
    let path = format!("/graphql?{query}extensions={}", encoded(&extension(hash).to_string()));
    actor.request(Method::GET, &path, &[], "").await
}

fn hash_of(query: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, query.as_bytes());
    hex::encode(digest)
}

fn is_unknown(answer: &TestResponse) {
    assert_eq!(answer.status, 200);
    let errors = answer.json()["errors"].clone();
    assert_eq!(errors[0]["message"], "PersistedQueryNotFound", "{}", answer.text);
    assert_eq!(errors[0]["extensions"]["code"], "PERSISTED_QUERY_NOT_FOUND");
    assert!(errors[0].get("locations").is_none(), "it has no location in the document: {}", answer.text);
    assert!(answer.json().get("data").is_none());
}

#[tokio::test]
async fn persisted_query_runs_by_its_hash() {
    let app = TestApp::new().await;
    let actor = app.anonymous();
    assert_eq!(hash_of(QUERY), HASH);
    is_unknown(&post(&actor, None, &extension(HASH)).await);
    is_unknown(&get(&actor, "", HASH).await);
    let expected = json!({ "__typename": "Query" });
    assert_eq!(post(&actor, Some(QUERY), &extension(HASH)).await.data(), expected);
    assert_eq!(post(&actor, None, &extension(HASH)).await.data(), expected);
    assert_eq!(post(&actor, Some(" "), &extension(&HASH.to_uppercase())).await.data(), expected);
    assert_eq!(get(&actor, "", HASH).await.data(), expected);
    let other = "query Named { __typename }";
    assert_eq!(get(&actor, other, &hash_of(other)).await.data(), expected);
    assert_eq!(post(&actor, None, &extension(&hash_of(other))).await.data(), expected);
}

/// The newer media type reports it by 400, like every request error.
#[tokio::test]
async fn unknown_query_hash_is_reported_in_both_media_types() {
    let app = TestApp::new().await;
    let headers = [("content-type", "application/json"), ("accept", "application/graphql-response+json")];
    let body = json!({ "extensions": extension(HASH) }).to_string();
    let answer = app.anonymous().request(Method::POST, "/graphql", &headers, body).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_deref()), (400, Some("PERSISTED_QUERY_NOT_FOUND")));
}

#[tokio::test]
async fn persisted_query_with_wrong_hash_is_refused() {
    let app = TestApp::new().await;
    let actor = app.anonymous();
    let answer = post(&actor, Some("{ me { id } }"), &extension(HASH)).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_deref()), (400, Some("BAD_REQUEST")));
    is_unknown(&post(&actor, None, &extension(HASH)).await);
}

#[tokio::test]
async fn malformed_persisted_query_is_refused() {
    let app = TestApp::new().await;
    let persisted = |extension: Value| json!({ "persistedQuery": extension });
    for bad in [
        json!(null),
        json!(true),
        json!("x"),
        json!([]),
        json!({}),
        json!({ "version": 1 }),
        json!({ "sha256Hash": HASH }),
        json!({ "version": 1, "sha256Hash": 5 }),
        json!({ "version": 1, "sha256Hash": "" }),
        json!({ "version": 1, "sha256Hash": format!("{HASH}0") }),
        json!({ "version": 1, "sha256Hash": "é".repeat(32) }),
        json!({ "version": "1", "sha256Hash": HASH }),
    ] {
        for query in [None, Some(QUERY)] {
            let answer = post(&app.anonymous(), query, &persisted(bad.clone())).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_deref()), (400, Some("BAD_REQUEST")), "{bad}");
        }
    }
    let answer = post(&app.anonymous(), None, &persisted(json!({ "version": 2, "sha256Hash": HASH }))).await;
    assert_eq!(answer.json()["errors"][0]["message"], "PersistedQueryNotSupported");
    assert_eq!(answer.code().as_deref(), Some("PERSISTED_QUERY_NOT_SUPPORTED"));
    let others = post(&app.anonymous(), Some(QUERY), &json!({ "clientLibrary": { "name": "x" } })).await;
    assert_eq!(others.data(), json!({ "__typename": "Query" }));
}

/// Only parsed queries within the limits are stored, so that no client stores a bomb for others.
#[tokio::test]
async fn invalid_queries_are_not_persisted() {
    let app = TestApp::new().await;
    let actor = app.anonymous();
    let deep = format!("{}{{ id }}{}", "{ me ".repeat(10), "}".repeat(10));
    for (query, code) in [(deep.as_str(), "OPERATION_TOO_COMPLEX"), ("{ me", "GRAPHQL_PARSE_FAILED")] {
        let hash = hash_of(query);
        assert_eq!(post(&actor, Some(query), &extension(&hash)).await.code().as_deref(), Some(code));
        is_unknown(&post(&actor, None, &extension(&hash)).await);
    }
}

/// A stored document with a password in it would confirm guesses of the password by their hash, without limit.
#[tokio::test]
async fn query_with_a_string_literal_runs_but_is_not_persisted() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let actor = app.anonymous();
    for quotes in ["\"", "\"\"\""] {
        let input = format!("username: \"ann\", password: {quotes}{PASSWORD}{quotes}");
        let login = format!("mutation {{ login(input: {{ {input} }}) {{ user {{ username }} }} }}");
        let hash = hash_of(&login);
        for _ in 0..2 {
            is_unknown(&post(&actor, None, &extension(&hash)).await);
            let answer = post(&actor, Some(&login), &extension(&hash)).await;
            assert_eq!(answer.data()["login"]["user"]["username"], "ann");
        }
    }
}

/// Z3
#[tokio::test]
async fn persisted_mutation_by_get_is_refused() {
    let app = TestApp::new().await;
    let actor = app.anonymous();
    let logout = "mutation { logout { ok } }";
    let hash = hash_of(logout);
    let refused = get(&actor, logout, &hash).await;
    assert_eq!((refused.status.as_u16(), refused.header("allow")), (405, Some("POST")));
    is_unknown(&post(&actor, None, &extension(&hash)).await);
    assert_eq!(post(&actor, Some(logout), &extension(&hash)).await.code(), None);
    assert_eq!(get(&actor, "", &hash).await.status, 405);
}

/// G13: the store never grows, and an evicted client sends its query again.
#[tokio::test]
async fn persisted_query_store_is_bounded() {
    let app = TestApp::new().await;
    let actor = app.anonymous();
    let flood = |number: usize| format!("query Q{number} {{ __typename }}");
    for number in 0..2_000 {
        let query = flood(number);
        post(&actor, Some(&query), &extension(&hash_of(&query))).await.data();
    }
    let mut evicted = Vec::new();
    for number in 0..2_000 {
        let answer = post(&actor, None, &extension(&hash_of(&flood(number)))).await;
        if answer.code().is_some() {
            is_unknown(&answer);
            evicted.push(flood(number));
        }
    }
    assert!((800..2_000).contains(&evicted.len()), "{}", evicted.len());
    let (query, hash) = (&evicted[0], hash_of(&evicted[0]));
    post(&actor, Some(query), &extension(&hash)).await.data();
    assert_eq!(post(&actor, None, &extension(&hash)).await.code(), None);
}

/// Each request of an array is handled separately.
#[tokio::test]
async fn persisted_queries_work_in_batches() {
    let app = TestApp::with(&[("ACCOUNTD_GRAPHQL__MAX_BATCH", "2")]).await;
    let by_hash = json!({ "extensions": extension(HASH) });
    let whole = json!({ "query": QUERY, "extensions": extension(HASH) });
    let answer = app.anonymous().json(Method::POST, "/graphql", &json!([by_hash, whole])).await.json();
    assert_eq!(answer[0]["errors"][0]["extensions"]["code"], "PERSISTED_QUERY_NOT_FOUND");
    assert_eq!(answer[1]["data"]["__typename"], "Query");
    let again = app.anonymous().json(Method::POST, "/graphql", &json!([by_hash, by_hash])).await.json();
    assert_eq!(again[0], again[1]);
    assert_eq!(again[0]["data"]["__typename"], "Query");
}
