//! Server-sent events, and subscription requests over other transports.

use axum::http::Method;
use serde_json::json;

use crate::support::TestApp;
use crate::support::server::Server;
use crate::support::subscriber::{EVENTS, Subscriber};

const JSON: (&str, &str) = ("content-type", "application/json");

/// Nothing starts, and the response names both transports.
#[tokio::test]
async fn subscription_by_plain_post_names_the_supported_transports() {
    let app = TestApp::with(&[("ACCOUNTD_GRAPHQL__MAX_BATCH", "5")]).await;
    let ann = app.user("ann").await;
    let one = json!({ "query": EVENTS });
    for (accept, body) in [
        ("*/*", one.clone()),
        ("application/graphql-response+json", one.clone()),
        ("text/event-stream, application/json", json!([one])),
        ("text/event-stream, application/json", json!([one, { "query": "{ me { id } }" }])),
        // Apollo's own transport, which is not supported.
        ("multipart/mixed;boundary=graphql;subscriptionSpec=1.0, application/json", one.clone()),
    ] {
        let answer = ann.request(Method::POST, "/graphql", &[JSON, ("accept", accept)], body.to_string()).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_deref()), (400, Some("BAD_REQUEST")), "{accept}");
        assert!(
            answer.text.contains("graphql-transport-ws") && answer.text.contains("text/event-stream"),
            "{}",
            answer.text
        );
    }
}

/// Refusals come before the stream, in the usual form.
#[tokio::test]
async fn refused_sse_request_gets_an_ordinary_response() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let events = [JSON, ("accept", "text/event-stream")];
    let ask = async |query: &str, token: Option<&str>| {
        let actor = token.map_or_else(|| app.anonymous(), |token| ann.with_token(token));
        let answer = actor.request(Method::POST, "/graphql", &events, json!({ "query": query }).to_string()).await;
        let kind = answer.headers["content-type"].to_str().unwrap().to_owned();
        assert!(kind.starts_with("application/graphql-response+json"), "{kind}");
        (answer.status.as_u16(), answer.code().unwrap())
    };
    let token = ann.token.as_deref();
    assert_eq!(ask(EVENTS, None).await, (401, "UNAUTHENTICATED".to_owned()));
    assert_eq!(ask(EVENTS, Some("x.y.z")).await, (401, "UNAUTHENTICATED".to_owned()));
    assert_eq!(ask("subscription { nothing }", token).await, (400, "GRAPHQL_VALIDATION_FAILED".to_owned()));
    assert_eq!(ask("subscription {", token).await, (400, "GRAPHQL_PARSE_FAILED".to_owned()));
    assert_eq!(ask("{ me { id } }", token).await, (406, "NOT_ACCEPTABLE".to_owned()));
    assert_eq!(ask("mutation { logout { ok } }", token).await, (406, "NOT_ACCEPTABLE".to_owned()));
    assert_eq!(ann.me_code().await, None, "logout ran");
    // Clients that accept everything get the response of the operation.
    let all = [JSON, ("accept", "application/json, text/event-stream")];
    let answer = ann.request(Method::POST, "/graphql", &all, json!({ "query": "{ me { id } }" }).to_string()).await;
    assert_eq!(answer.data()["me"]["id"], ann.id);
}

/// A browser's `EventSource` can neither post nor send a header: it authenticates by cookies.
#[tokio::test]
async fn event_source_connects_by_get_with_cookies() {
    let server = Server::new().await;
    let ann = server.app.user("ann").await;
    let query: String = form_urlencoded::byte_serialize(EVENTS.as_bytes()).collect();
    let host = server.address;
    let token = ann.token.as_ref().unwrap();
    let ask = async |origin: &str, cookie: &str| {
        let mut client = server.connect().await;
        let request = format!(
            "GET /graphql?query={query} HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\n{origin}\
             Cookie: accountd-access={cookie}\r\n\r\n"
        );
        client.send(&request).await;
        client.read_until("\r\n\r\n").await
    };
    let own = format!("Origin: http://{host}\r\n");
    assert!(ask(&own, token).await.starts_with("HTTP/1.1 200 OK"));
    assert!(ask("Sec-Fetch-Site: same-origin\r\n", token).await.contains("text/event-stream"));
    assert!(ask("Origin: https://evil.example\r\n", token).await.starts_with("HTTP/1.1 401"));
    assert!(ask("", token).await.starts_with("HTTP/1.1 401"));
}

/// `graphql.max_response_bytes` applies to an event, over either transport, and the subscription continues.
#[tokio::test]
async fn oversized_event_is_refused_and_the_next_is_sent() {
    let server = Server::with_config(|config| config.graphql.max_response_bytes = 2_000).await;
    let root = server.app.admin("root").await;
    let ann = server.app.user("ann").await;
    let names: Vec<String> = (0..9).map(|number| format!("{number}{}", "r".repeat(140))).collect();
    for name in &names {
        root.mutate_ok("saveRole", json!({ "name": name, "permissions": [] }), "role { id }").await;
    }
    let mut subscribers = Subscriber::over_both(server.address, &ann).await;
    root.mutate_ok("setUserRoles", json!({ "userId": ann.id, "roles": names }), "user { id }").await;
    for subscriber in &mut subscribers {
        assert_eq!(subscriber.next_event().await["__typename"], "AccessChanged");
    }
    // One after the other: pending changes are merged into one event.
    ann.mutate_ok("updateProfile", json!({ "displayName": "🦀".repeat(200) }), "user { id }").await;
    for subscriber in &mut subscribers {
        assert_eq!(subscriber.next_error_code().await, "OPERATION_TOO_COMPLEX");
    }
    ann.mutate_ok("updateProfile", json!({ "displayName": "short" }), "user { id }").await;
    for subscriber in &mut subscribers {
        assert_eq!(subscriber.next_event().await["user"]["displayName"], "short");
    }
}
