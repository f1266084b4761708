//! Client address and request id. The parser has its own table of headers.

use axum::http::Method;
use serde_json::json;

use crate::support::{Actor, PASSWORD, TestApp, TestResponse};

const PROXIES: (&str, &str) = ("ACCOUNTD_SERVER__TRUSTED_PROXIES", "10.0.0.0/8,fd00::/8");

async fn login(actor: &Actor, headers: &[(&str, &str)]) -> TestResponse {
    let query = "mutation ($password: String!) {
        login(input: { username: \"ann\", password: $password }) { session { ip } }
    }";
    let body = json!({ "query": query, "variables": { "password": PASSWORD } }).to_string();
    let headers: Vec<_> = [("content-type", "application/json")].into_iter().chain(headers.iter().copied()).collect();
    actor.request(Method::POST, "/graphql", &headers, body).await
}

/// A11
#[tokio::test]
async fn address_from_trusted_proxy_is_recorded() {
    let app = TestApp::with(&[PROXIES]).await;
    app.user("ann").await;
    let forwarded = [("x-forwarded-for", "203.0.113.9, 198.51.100.1, 10.0.0.2")];
    for (peer, expected) in [
        ("10.0.0.1", "198.51.100.1"),
        ("::ffff:10.0.0.1", "198.51.100.1"),
        ("fd00::1", "198.51.100.1"),
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::7", "2001:db8::7"),
    ] {
        let answer = login(&app.anonymous().at_address(peer), &forwarded).await;
        assert_eq!(answer.data()["login"]["session"]["ip"], expected, "{peer}");
    }
    let answer = login(&app.anonymous().at_address("10.0.0.1"), &[("forwarded", "for=\"[2001:db8::1]:80\"")]).await;
    assert_eq!(answer.data()["login"]["session"]["ip"], "10.0.0.1", "the proxy writes the other header");
}

/// A11: a client that sends the header its proxy does not write neither hides its address nor gets another bucket.
#[tokio::test]
async fn forwarded_header_from_the_client_is_ignored() {
    let limited = ("ACCOUNTD_LIMITS__ENABLED", "true");
    for (setting, by_proxy, by_client) in [
        ("x-forwarded-for", ("x-forwarded-for", "198.51.100.1"), ["for=x", "for=203.0.113.9", "for=\"_a\""]),
        ("forwarded", ("forwarded", "for=198.51.100.1"), ["x", "203.0.113.9", "10.0.0.9"]),
    ] {
        let own_header = if setting == "forwarded" { "x-forwarded-for" } else { "forwarded" };
        let app = TestApp::with(&[PROXIES, limited, ("ACCOUNTD_SERVER__FORWARDED_HEADER", setting)]).await;
        app.user("ann").await;
        for own in by_client {
            let answer = login(&app.anonymous().at_address("10.0.0.1"), &[by_proxy, (own_header, own)]).await;
            assert_eq!(answer.data()["login"]["session"]["ip"], "198.51.100.1", "{own}");
        }
        let mut tries = 0;
        for number in 0..20 {
            let own = format!("for=203.0.113.{number}");
            let body = json!({ "username": format!("nobody{number}"), "password": "x" }).to_string();
            let headers = [("content-type", "application/json"), by_proxy, (own_header, own.as_str())];
            let answer = app.anonymous().at_address("10.0.0.1").request(Method::POST, "/login", &headers, body).await;
            tries += usize::from(answer.status == 401);
        }
        assert_eq!(tries, 10, "{setting}");
    }
}

/// A11
#[tokio::test]
async fn forwarded_headers_without_trusted_proxies_are_ignored() {
    let app = TestApp::new().await;
    app.user("ann").await;
    for header in ["x-forwarded-for", "x-real-ip", "true-client-ip", "cf-connecting-ip"] {
        let answer = login(&app.anonymous().at_address("127.0.0.1"), &[(header, "198.51.100.1")]).await;
        assert_eq!(answer.data()["login"]["session"]["ip"], "127.0.0.1", "{header}");
    }
    assert_eq!(login(&app.anonymous(), &[]).await.data()["login"]["session"]["ip"], json!(null));
}

/// Q7: the one request value that is returned in a header is plain, or ignored.
#[tokio::test]
async fn every_response_has_a_request_id() {
    let app = TestApp::with(&[PROXIES]).await;
    let longest = "x".repeat(64);
    let too_long = "x".repeat(65);
    let given = |peer: &'static str, id: String| {
        let actor = app.anonymous().at_address(peer);
        async move {
            let answer = actor.request(Method::GET, "/nowhere", &[("x-request-id", &id)], "").await;
            let returned = answer.header("x-request-id").unwrap().to_owned();
            (returned == id, returned)
        }
    };
    for id in ["a", "req-7.b_C", &longest] {
        assert!(given("10.0.0.1", id.to_owned()).await.0, "{id}");
    }
    for id in ["", "a b", "a\"b", "a/b", "a,b", "ü", &too_long] {
        let (is_taken, returned) = given("10.0.0.1", id.to_owned()).await;
        assert!(!is_taken && returned.len() == 32, "{id:?}: {returned}");
    }
    assert!(!given("192.0.2.1", "a".to_owned()).await.0);
    let twice = [("x-request-id", "a"), ("x-request-id", "b")];
    let answer = app.anonymous().at_address("10.0.0.1").request(Method::GET, "/healthz", &twice, "").await;
    assert_eq!(answer.header("x-request-id").unwrap().len(), 32);
}
