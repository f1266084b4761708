//! Long-lived connections: slots, keep-alive, and clients that do not read. Real time, with short timeouts.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::server::{Client, IDLE_TIMEOUT, Server, TEST_TIMEOUT, WRITE_TIMEOUT};
use crate::support::subscriber::{EVENTS, Subscriber, WebSocketClient, sse_request};

const PING: Duration = Duration::from_millis(300);

const UPGRADE: &str = "GET /graphql HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n";

/// A text frame, masked with zeros.
fn frame(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap().to_be_bytes();
    [&[0x81, 0xfe, length[0], length[1], 0, 0, 0, 0], text.as_bytes()].concat()
}

/// A socket whose raw bytes the test reads.
async fn raw(mut client: Client, token: &str) -> Client {
    client.send(UPGRADE).await;
    let head = client.read_until("\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    let greeting = json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {token}") } });
    client.0.write_all(&frame(&greeting.to_string())).await.unwrap();
    client.read_until(r#"{"type":"connection_ack"}"#).await;
    let subscribe = json!({ "type": "subscribe", "id": "1", "payload": { "query": EVENTS } });
    client.0.write_all(&frame(&subscribe.to_string())).await.unwrap();
    client
}

/// The server pings the peer and closes the connection without reply; event streams send keep-alives.
#[tokio::test]
async fn unresponsive_subscriber_is_disconnected() {
    let server = Server::with_config(|config| config.server.timeouts.ping = PING).await;
    let ann = server.app.user("ann").await;
    let token = ann.token.as_ref().unwrap();
    let begun = Instant::now();
    let mut silent = raw(server.connect().await, token).await;
    let rest = silent.read_to_end().await;
    // One ping and the close; on a slow machine the first of two may precede the subscription.
    assert_eq!(rest.replace(&*String::from_utf8_lossy(&[0x89, 0]), ""), "");
    assert!(begun.elapsed() >= PING * 2);
    // A client that replies stays, longer than an idle connection.
    let server = Server::with_config(|config| {
        (config.server.timeouts.ping, config.server.timeouts.idle) = (PING * 5, PING);
    })
    .await;
    let ann = server.app.user("ann").await;
    let mut socket = WebSocketClient::authenticated(server.address, ann.token.as_ref().unwrap()).await;
    socket.subscribe("1", EVENTS).await;
    assert!(socket.is_silent(PING * 11).await);
    let Subscriber::Sse(mut events) = Subscriber::over_sse(server.address, &ann).await else { unreachable!() };
    for _ in 0..2 {
        events.read_until("3\r\n:\n\n\r\n").await;
    }
}

#[tokio::test]
async fn websocket_without_subscriptions_is_closed_as_idle() {
    let server = Server::with_config(|config| config.server.timeouts.idle = IDLE_TIMEOUT).await;
    let ann = server.app.user("ann").await;
    let begun = Instant::now();
    let mut socket = WebSocketClient::authenticated(server.address, ann.token.as_ref().unwrap()).await;
    assert_eq!(socket.next_message().await, Err(1000));
    assert!(begun.elapsed() >= IDLE_TIMEOUT);
    // Pings are no use of it, however many.
    let socket = WebSocketClient::authenticated(server.address, ann.token.as_ref().unwrap()).await;
    assert_eq!(socket.close_code_of_flood(&json!({ "type": "ping" }).to_string()).await, 1000);
}

/// H5
#[tokio::test]
async fn subscriber_that_reads_nothing_is_disconnected() {
    let server = Server::with_config(|config| {
        (config.server.timeouts.ping, config.server.timeouts.write) = (TEST_TIMEOUT * 2, WRITE_TIMEOUT);
    })
    .await;
    let ann = server.app.user("ann").await;
    let pings = frame(&json!({ "type": "ping", "payload": "a".repeat(30_000) }).to_string()).repeat(300);
    // One client reads nothing, the other reads little at intervals.
    for bite in [0, 512] {
        let begun = Instant::now();
        let mut client = raw(server.connect_with_small_window().await, ann.token.as_ref().unwrap()).await;
        let mut left = pings.as_slice();
        let mut buffer = vec![0; bite];
        let closed = loop {
            assert!(begun.elapsed() < TEST_TIMEOUT && !left.is_empty(), "the connection stays open");
            match tokio::time::timeout(Duration::from_millis(20), client.0.write(left)).await {
                Ok(Ok(count)) => left = &left[count..],
                Ok(Err(_)) => break begun.elapsed(),
                Err(_) => {}
            }
            if bite > 0 && client.0.read(&mut buffer).await.is_err() {
                break begun.elapsed();
            }
        };
        assert!(closed > WRITE_TIMEOUT / 2, "{closed:?}");
    }
    server.assert_serves().await;
}

/// H7: an upgraded connection keeps its slot, and releases it at the end.
#[tokio::test]
async fn streams_count_against_the_connection_limit() {
    let server = Server::with_config(|config| config.server.max_connections_per_address = 2).await;
    let ann = server.app.user("ann").await;
    let both = Subscriber::over_both(server.address, &ann).await;
    let mut third = server.connect().await;
    third.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(third.read_to_end().await, "", "no slot was free");
    for subscriber in both {
        drop(subscriber);
        let begun = Instant::now();
        loop {
            let answer = server.exchange("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
            if answer.starts_with("HTTP/1.1 200") {
                break;
            }
            assert!(begun.elapsed() < TEST_TIMEOUT, "the slot is not released");
        }
    }
}

/// Bytes after the request for events are no next request: the stream is the last response.
#[tokio::test]
async fn sse_stream_closes_its_connection() {
    let mut server = Server::new().await;
    let ann = server.app.user("ann").await;
    let mut client = server.connect().await;
    client.send(&sse_request(ann.token.as_ref().unwrap(), EVENTS)).await;
    let head = client.read_until("\r\n\r\n").await;
    assert!(head.contains("connection: close") && head.contains("x-accel-buffering: no"), "{head}");
    assert!(head.contains("cache-control: no-store"), "{head}");
    client.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(tokio::time::timeout(IDLE_TIMEOUT * 2, client.0.read_u8()).await.is_err());
    server.stop();
    assert_eq!(client.read_to_end().await, "0\r\n\r\n");
}
