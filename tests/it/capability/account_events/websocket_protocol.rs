//! The protocol `graphql-transport-ws`: responses and close codes; S22.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::server::Server;
use crate::support::subscriber::{EVENTS, WebSocketClient};

/// The timeout for `connection_init` in these tests.
const INIT: Duration = Duration::from_millis(300);

/// The close code of a socket that sends this message without `connection_init`.
async fn closed_by(server: &Server, message: &str) -> u16 {
    let mut socket = WebSocketClient::open(server.address).await;
    socket.send(message).await;
    socket.close_code().await
}

#[tokio::test]
async fn websocket_without_connection_init_is_closed() {
    let server = Server::with_config(|config| config.server.timeouts.init = INIT).await;
    let begun = Instant::now();
    let mut socket = WebSocketClient::open(server.address).await;
    // A ping does not count.
    let closed = loop {
        socket.send_json(&json!({ "type": "ping" })).await;
        match socket.next_message().await {
            Ok(answer) => assert_eq!(answer, json!({ "type": "pong" })),
            Err(code) => break code,
        }
    };
    assert_eq!(closed, 4408);
    assert!(begun.elapsed() >= INIT);
    let server = Server::new().await;
    let subscribe = json!({ "type": "subscribe", "id": "1", "payload": { "query": EVENTS } }).to_string();
    assert_eq!(closed_by(&server, &subscribe).await, 4401);
    let default = accountd::config::Timeouts::default();
    assert_eq!(default.init, Duration::from_secs(3));
}

/// Neither a socket that is never quiet nor one that does not read its answers has more time.
#[tokio::test]
async fn flood_does_not_delay_the_init_timeout() {
    let server = Server::with_config(|config| config.server.timeouts.init = INIT).await;
    let ping = json!({ "type": "ping" }).to_string();
    assert_eq!(WebSocketClient::open(server.address).await.close_code_of_flood(&ping).await, 4408);
    let long = json!({ "type": "ping", "payload": "a".repeat(60_000) }).to_string();
    WebSocketClient::open(server.address).await.flood_until_gone(&long).await;
}

#[tokio::test]
async fn connection_init_requires_valid_credentials() {
    let server = Server::new().await;
    let ann = server.app.user("ann").await;
    let token = ann.token.clone().unwrap();
    let greet = async |payload: Value| {
        let mut socket = WebSocketClient::open(server.address).await;
        socket.init(payload).await;
        socket.next_message().await
    };
    let bearer = format!("Bearer {token}");
    let ack = Ok(json!({ "type": "connection_ack" }));
    assert_eq!(greet(json!({ "authorization": bearer })).await, ack);
    assert_eq!(greet(json!({ "Authorization": bearer })).await, ack);
    for payload in [
        json!({ "token": token }),
        json!({ "token": bearer }),
        json!({ "headers": { "Authorization": bearer } }),
        json!({ "headers": { "authorization": bearer }, "authorization": null }),
    ] {
        assert_eq!(greet(payload.clone()).await, ack, "{payload}");
    }
    for payload in [
        Value::Null,
        json!({}),
        json!({ "authorization": "" }),
        json!({ "authorization": "Bearer null" }),
        json!({ "authorization": null }),
        json!({ "token": [token] }),
        json!({ "token": "x.y.z" }),
        json!({ "token": "" }),
        json!({ "headers": { "Authorization": token } }),
        json!({ "headers": [bearer] }),
        json!({ "authorization": token }),
        json!({ "authorization": [bearer] }),
        json!({ "authorization": format!("{bearer}x") }),
        json!([bearer]),
        json!(bearer),
    ] {
        assert_eq!(greet(payload.clone()).await, Err(4401), "{payload}");
    }
    // Programs can send a header; the `connection_init` payload takes precedence.
    let header = [("authorization", bearer.as_str())];
    let mut socket = WebSocketClient::try_open(server.address, &header).await.unwrap();
    socket.init(json!({ "authorization": "Bearer" })).await;
    assert_eq!(socket.next_message().await, ack);
    let mut socket = WebSocketClient::try_open(server.address, &header).await.unwrap();
    socket.init(json!({ "authorization": "Bearer x.y.z" })).await;
    assert_eq!(socket.next_message().await, Err(4401));
}

#[tokio::test]
async fn websocket_protocol_violation_closes_the_socket() {
    let server = Server::new().await;
    let ann = server.app.user("ann").await;
    let token = ann.token.as_ref().unwrap();
    for message in ["", "{", "[]", r#"{"type":"start","id":"1"}"#, r#"{"type":"connection_init","type":"ping"}"#] {
        assert_eq!(closed_by(&server, message).await, 4400, "{message}");
    }
    let long = json!({ "type": "connection_init", "payload": "a".repeat(64 * 1024) }).to_string();
    assert_eq!(closed_by(&server, &long).await, 4400, "more than 64 KiB");
    let mut socket = WebSocketClient::authenticated(server.address, token).await;
    socket.init(json!({})).await;
    assert_eq!(socket.close_code().await, 4429);
    let mut socket = WebSocketClient::authenticated(server.address, token).await;
    socket.subscribe("1", EVENTS).await;
    socket.subscribe("1", EVENTS).await;
    assert_eq!(socket.close_code().await, 4409);
    for id in ["\"\"".to_owned(), "1".to_owned(), format!("\"{}\"", "a".repeat(200))] {
        let mut socket = WebSocketClient::authenticated(server.address, token).await;
        socket.send(&format!(r#"{{"type":"subscribe","id":{id},"payload":{{"query":"{{ me {{ id }} }}"}}}}"#)).await;
        assert_eq!(socket.close_code().await, 4400, "{id}");
    }
}

#[tokio::test]
async fn websocket_runs_only_subscriptions_within_limits() {
    let server = Server::new().await;
    let ann = server.app.user("ann").await;
    let mut socket = WebSocketClient::authenticated(server.address, ann.token.as_ref().unwrap()).await;
    let fragments = format!(
        "subscription {{ accountEvents {{ ...f }} }} fragment f on SessionEnded {{ {} }}",
        "a: at ".repeat(600)
    );
    let cases = [
        ("{ me { id } }", "BAD_REQUEST"),
        ("mutation { logout { ok } }", "BAD_REQUEST"),
        ("subscription {", "GRAPHQL_PARSE_FAILED"),
        ("subscription { accountEvents { nothing } }", "GRAPHQL_VALIDATION_FAILED"),
        (
            "subscription { a: accountEvents { __typename } b: accountEvents { __typename } }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        ("subscription { accountEvents @skip(if: true) { __typename } }", "BAD_USER_INPUT"),
        (&fragments, "OPERATION_TOO_COMPLEX"),
        (" ", "BAD_REQUEST"),
    ];
    for (number, (query, code)) in cases.into_iter().enumerate() {
        let id = number.to_string();
        socket.subscribe(&id, query).await;
        let answer = socket.receive().await;
        assert_eq!((&answer["type"], &answer["id"]), (&json!("error"), &json!(id)), "{query}: {answer}");
        assert_eq!(answer["payload"][0]["extensions"]["code"], code, "{query}: {answer}");
    }
    // The session lives on; `logout` did not run. A pong returns the ping's payload.
    assert_eq!(ann.me_code().await, None);
    socket.send_json(&json!({ "type": "ping", "payload": { "a": [1] } })).await;
    assert_eq!(socket.receive().await, json!({ "type": "pong", "payload": { "a": [1] } }));
    // An id is free again after its subscription ends, and completing an unknown id has no effect.
    for _ in 0..50 {
        socket.subscribe("x", EVENTS).await;
        socket.send_json(&json!({ "type": "complete", "id": "x" })).await;
        socket.send_json(&json!({ "type": "complete", "id": "x" })).await;
    }
    socket.send_json(&json!({ "type": "ping" })).await;
    assert_eq!(socket.receive().await, json!({ "type": "pong" }));
}

/// X1: the browser would send its cookies, and let the page read the messages.
#[tokio::test]
async fn cross_site_page_cannot_open_a_websocket() {
    let app = TestApp::with(&[("ACCOUNTD_CORS__ORIGINS", "https://app.example.com")]).await;
    let server = Server::serving(app).await;
    let own = format!("http://{}", server.address);
    let ann = server.app.user("ann").await;
    let cookie = format!("accountd-access={}", ann.token.as_ref().unwrap());
    for origin in ["https://evil.example", "null", "http://app.example.com", "https://app.example.com.evil.example"] {
        let refused = WebSocketClient::try_open(server.address, &[("origin", origin), ("cookie", &cookie)]).await;
        let Err((403, body)) = refused else { panic!("{origin} opens a socket, or is refused in another way") };
        assert!(body.contains("CSRF_REFUSED") && body.contains("cors.origins"), "{body}");
    }
    let cross = [("sec-fetch-site", "cross-site")];
    assert!(matches!(WebSocketClient::try_open(server.address, &cross).await, Err((403, _))));
    for (origin, name) in [(own.as_str(), "accountd-access"), ("https://app.example.com", "__Host-accountd-access")] {
        let cookie = cookie.replace("accountd-access", name);
        let mut socket =
            WebSocketClient::try_open(server.address, &[("origin", origin), ("cookie", &cookie)]).await.unwrap();
        socket.init(Value::Null).await;
        assert_eq!(socket.next_message().await, Ok(json!({ "type": "connection_ack" })), "{origin}");
    }
    // Cookies count for pages only.
    let mut socket = WebSocketClient::try_open(server.address, &[("cookie", &cookie)]).await.unwrap();
    socket.init(Value::Null).await;
    assert_eq!(socket.next_message().await, Err(4401));
    let other = [("sec-websocket-protocol", "graphql-ws")];
    let Err((400, body)) = WebSocketClient::try_open(server.address, &other).await else {
        panic!("an unknown protocol")
    };
    assert!(body.contains("graphql-transport-ws"), "{body}");
    // A list may be one header line or several (RFC 6455 section 11.3.4).
    for lines in ["graphql-ws, graphql-transport-ws", "foo\r\nSec-WebSocket-Protocol: graphql-transport-ws"] {
        let mut client = server.connect().await;
        client
            .send(&format!(
                "GET /graphql HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                 Sec-WebSocket-Protocol: {lines}\r\n\r\n"
            ))
            .await;
        let head = client.read_until("\r\n\r\n").await.to_lowercase();
        assert!(head.starts_with("http/1.1 101"), "{lines}: {head}");
        assert!(head.contains("\r\nsec-websocket-protocol: graphql-transport-ws\r\n"), "{lines}: {head}");
    }
    let none = [("sec-websocket-version", "7")];
    assert!(matches!(WebSocketClient::try_open(server.address, &none).await, Err((400, _))));
}
