//! GraphQL over HTTP and the headers of every response.

mod health;
mod pages;
mod requests;

use axum::http::Method;
use chrono::TimeDelta;
use serde_json::json;

use crate::support::{Actor, SECURITY_HEADERS, TestApp, TestResponse};

const JSON: &str = "application/json";
const GRAPHQL: &str = "application/graphql-response+json";
async fn post(actor: &Actor, headers: &[(&str, &str)], body: &str) -> TestResponse {
    actor.request(Method::POST, "/graphql", headers, body.to_owned()).await
}

async fn get(actor: &Actor, path: &str, headers: &[(&str, &str)]) -> TestResponse {
    actor.request(Method::GET, path, headers, "").await
}

#[tokio::test]
async fn unknown_routes_and_methods_return_problem_details() {
    let app = TestApp::new().await;
    for path in [
        "/nothing",
        "/assets/x",
        "/client/../x",
        "/client/%2e%2e%2fx",
        "/graphql/",
        "/healthz/x",
        "/.well-known/",
        "/%00",
        "/..%2f..%2fetc%2fpasswd",
    ] {
        let answer = get(&app.anonymous(), path, &[]).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (404, Some("application/problem+json")));
        let problem = answer.json();
        assert_eq!((&problem["status"], &problem["code"]), (&json!(404), &json!("NOT_FOUND")), "{path}");
    }
    for (method, path, allow) in [
        (Method::DELETE, "/graphql", "GET,HEAD,POST"),
        (Method::PUT, "/graphql", "GET,HEAD,POST"),
        (Method::POST, "/healthz", "GET,HEAD"),
        (Method::TRACE, "/readyz", "GET,HEAD"),
        (Method::PATCH, "/.well-known/jwks.json", "GET,HEAD"),
    ] {
        let answer = app.anonymous().request(method.clone(), path, &[], "").await;
        assert_eq!(answer.status, 405, "{method} {path}");
        assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(answer.json()["code"], "METHOD_NOT_ALLOWED");
    }
}

#[tokio::test]
async fn every_graphql_response_has_security_headers() {
    let app = TestApp::new().await;
    let (anonymous, long) = (app.anonymous(), " ".repeat(65_537));
    let answers = [
        (200, get(&anonymous, "/healthz", &[]).await),
        (200, get(&anonymous, "/graphql?query=%7B__typename%7D", &[]).await),
        (200, post(&anonymous, &[("content-type", JSON)], r#"{"query":"{ me { id } }"}"#).await),
        (400, post(&anonymous, &[("content-type", JSON)], "no JSON").await),
        (404, get(&anonymous, "/nothing", &[]).await),
        (405, anonymous.request(Method::DELETE, "/graphql", &[], "").await),
        (406, post(&anonymous, &[("content-type", JSON), ("accept", "image/png")], "{}").await),
        (413, post(&anonymous, &[("content-type", JSON)], &long).await),
        (415, post(&anonymous, &[], "{}").await),
    ];
    for (status, answer) in answers {
        assert_eq!(answer.status, status, "{}", answer.text);
        for (name, value) in SECURITY_HEADERS {
            assert_eq!(answer.header(name), Some(value), "{name} of a {status}");
        }
        let id = answer.header("x-request-id").unwrap_or_default();
        assert!(id.len() == 32 && id.chars().all(|c| c.is_ascii_hexdigit()), "{id:?} names a {status}");
        for tell_tale in ["server", "x-powered-by"] {
            assert_eq!(answer.header(tell_tale), None, "{tell_tale} of a {status}");
        }
    }
}

#[tokio::test]
async fn request_ids_are_unique() {
    let app = TestApp::new().await;
    let first = get(&app.anonymous(), "/healthz", &[("x-request-id", "mine")]).await;
    let second = get(&app.anonymous(), "/healthz", &[("x-request-id", "mine")]).await;
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
    assert_ne!(first.header("x-request-id"), Some("mine"));
}

/// J22: the newer media type uses the status; the old one uses 200 for every GraphQL response.
#[tokio::test]
async fn response_media_type_follows_accept() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    app.clock.advance(TimeDelta::hours(1));
    let bob = app.user("bob").await;
    let cases: [(&Actor, &str, u16, Option<&str>, bool); 8] = [
        (&app.anonymous(), "{ __typename }", 200, None, true),
        (&app.anonymous(), "{ nothing }", 400, None, false),
        (&app.anonymous(), "{", 400, None, false),
        (&app.anonymous(), "{ users { totalCount } }", 401, Some("Bearer"), false),
        (&ann, "{ users { totalCount } }", 401, Some("Bearer error=\"invalid_token\""), false),
        (&ann, "{ me { id } }", 401, Some("Bearer error=\"invalid_token\""), false),
        (&ann, "{ __typename me { id } }", 200, None, true),
        (&bob, "{ users { totalCount } }", 403, Some("Bearer error=\"insufficient_scope\""), false),
    ];
    for (actor, query, status, challenge, has_data) in cases {
        let body = json!({ "query": query }).to_string();
        let new = post(actor, &[("content-type", JSON), ("accept", GRAPHQL)], &body).await;
        assert_eq!((new.status.as_u16(), new.header("www-authenticate")), (status, challenge), "{query}");
        assert_eq!(new.header("content-type"), Some("application/graphql-response+json; charset=utf-8"));
        assert_eq!(new.json().get("data").is_some(), has_data, "{query}: {}", new.text);
        for accept in [JSON, "*/*", "application/*;q=0.2"] {
            let old = post(actor, &[("content-type", JSON), ("accept", accept)], &body).await;
            assert_eq!((old.status.as_u16(), old.header("www-authenticate")), (200, None), "{query}");
            assert_eq!(old.header("content-type"), Some("application/json; charset=utf-8"));
            assert_eq!(old.json().get("errors"), new.json().get("errors"));
        }
    }
}

/// J21: a token in the URL or the body is ignored, and such a URL is refused, because it ends up in logs.
#[tokio::test]
async fn access_token_is_read_from_the_header_only() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let token = ann.token.as_deref().unwrap();
    for path in ["/graphql?query=%7Bme%7Bid%7D%7D&access_token=", "/login?access_token=", "/healthz?access_token="] {
        let answer = get(&app.anonymous(), &format!("{path}{token}"), &[]).await;
        assert_eq!(answer.status, 400, "{path}");
        assert!(answer.json()["detail"].as_str().unwrap().contains("Authorization header"), "{}", answer.text);
    }
    let body = json!({ "query": "{ me { id } }", "access_token": token }).to_string();
    assert_eq!(post(&app.anonymous(), &[("content-type", JSON)], &body).await.data(), json!({ "me": null }));
    let form = format!("access_token={token}");
    let answer = post(&app.anonymous(), &[("content-type", "application/x-www-form-urlencoded")], &form).await;
    assert_eq!(answer.status, 415);
}
