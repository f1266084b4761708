//! Automatic introspection: closed behind proxies.

use axum::http::Method;
use serde_json::json;

use crate::support::{Actor, TestApp};

/// `auto` allows direct requests, and no forwarded ones.
#[tokio::test]
async fn auto_introspection_refuses_forwarded_requests() {
    let headers = [
        ("x-forwarded-for", "192.0.2.1"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "accounts.example.com"),
        ("x-forwarded-port", "443"),
        ("x-real-ip", "192.0.2.1"),
        ("forwarded", "for=192.0.2.1"),
        ("via", "1.1 proxy"),
        ("cf-connecting-ip", "192.0.2.1"),
        ("true-client-ip", "192.0.2.1"),
    ];
    let body = json!({ "query": "{ __schema { queryType { name } } }" }).to_string();
    let ask = async |actor: &Actor, extra: &[(&str, &str)]| {
        let headers = [&[("content-type", "application/json")][..], extra].concat();
        actor.request(Method::POST, "/graphql", &headers, body.clone()).await
    };
    let look = async |actor: &Actor, extra: &[(&str, &str)]| {
        let headers = [&[("accept", "text/html")][..], extra].concat();
        actor.request(Method::GET, "/graphql", &headers, "").await
    };
    let is_closed = async |actor: &Actor, extra: &[(&str, &str)]| {
        let (answer, page) = (ask(actor, extra).await, look(actor, extra).await);
        let message = answer.json()["errors"][0]["message"].as_str().unwrap_or_default().to_owned();
        let closed = message.contains("graphql.introspection") && !answer.text.contains("Query");
        assert_eq!(page.status == 403, closed, "{extra:?}");
        assert_eq!(page.text.contains("The playground is closed"), closed, "{extra:?}");
        closed
    };
    let app = TestApp::new().await;
    let anonymous = app.anonymous();
    assert!(!is_closed(&anonymous, &[]).await);
    for header in headers {
        assert!(is_closed(&anonymous, &[header]).await, "{header:?}");
    }
    let nested = "{ ...f } fragment f on Query { ... { __type(name: \"User\") { name } } }";
    let body = json!({ "query": nested }).to_string();
    let json = [("content-type", "application/json"), ("via", "1.1 proxy")];
    assert!(!anonymous.request(Method::POST, "/graphql", &json, body).await.text.contains("\"User\""));
    let own = json!({ "query": "{ __typename me { __typename } }" }).to_string();
    assert_eq!(anonymous.request(Method::POST, "/graphql", &json, own).await.code(), None);

    let behind = TestApp::with(&[("ACCOUNTD_SERVER__TRUSTED_PROXIES", "10.0.0.0/8")]).await;
    assert!(is_closed(&behind.anonymous(), &[]).await);
    let open = TestApp::with(&[
        ("ACCOUNTD_SERVER__TRUSTED_PROXIES", "10.0.0.0/8"),
        ("ACCOUNTD_GRAPHQL__INTROSPECTION", "true"),
    ])
    .await;
    assert!(!is_closed(&open.anonymous(), &headers).await);
}
