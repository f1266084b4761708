//! Connection timeouts, connection limits, and shutdown. Real time, with short timeouts.

mod limits;
mod shutdown;

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::server::{
    BODY_TIMEOUT, Client, HEAD_TIMEOUT, IDLE_TIMEOUT, Server, TEST_TIMEOUT, WRITE_TIMEOUT, post,
};

const HALF_HEAD: &str = "GET /healthz HTTP/1.1\r\nHost: a\r\nX: ";
const KEPT_OPEN: &str = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
/// A request whose body is incomplete.
fn half_body() -> (String, &'static str) {
    let whole = post("/graphql", r#"{"query":"{ me { id } }"}"#).replace("Connection: close\r\n", "");
    (whole.strip_suffix('}').unwrap().to_owned(), "}")
}

/// A request head that announces a long body, without the body.
fn long_head() -> String {
    format!("{}\r\n\r\n", post("/graphql", &" ".repeat(60_000)).trim_end())
}

/// Sends one byte at intervals until the connection is closed.
async fn trickle(mut client: Client, every: Duration) {
    let begun = Instant::now();
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while begun.elapsed() < TEST_TIMEOUT {
        match tokio::time::timeout(every, client.0.read(&mut buffer)).await {
            Ok(Ok(0) | Err(_)) => return,
            Ok(Ok(count)) => answer.extend_from_slice(&buffer[..count]),
            Err(_) => client.send("a").await,
        }
    }
    panic!("the connection stays open after {:?}", String::from_utf8_lossy(&answer));
}

/// Z5, H3
#[tokio::test]
async fn connection_with_slow_header_is_closed() {
    // No other timeout ends these connections.
    let server = Server::with_config(|config| config.server.timeouts.head = HEAD_TIMEOUT).await;
    for sent in ["", HALF_HEAD] {
        let begun = Instant::now();
        let mut client = server.connect().await;
        client.send(sent).await;
        client.read_to_end().await;
        assert!(begun.elapsed() >= HEAD_TIMEOUT, "{:?}", begun.elapsed());
    }
    // Single bytes at intervals do not extend it.
    let mut client = server.connect().await;
    client.send(HALF_HEAD).await;
    trickle(client, HEAD_TIMEOUT / 4).await;
    // Neither does an earlier request.
    let mut client = server.connect().await;
    client.send(KEPT_OPEN).await;
    client.read_until(r#"{"status":"ok"}"#).await;
    client.send(HALF_HEAD).await;
    trickle(client, HEAD_TIMEOUT / 4).await;
}

/// Z5, H4
#[tokio::test]
async fn connection_with_slow_body_is_closed() {
    let server = Server::with_config(|config| config.server.timeouts.body = BODY_TIMEOUT).await;
    let chunked =
        "POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    for request in [half_body().0, format!("{chunked}ff\r\n{{"), half_body().0.replace("/graphql", "/login")] {
        let begun = Instant::now();
        let answer = server.exchange(&request).await;
        assert!(begun.elapsed() >= BODY_TIMEOUT, "{:?}", begun.elapsed());
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("cache-control: no-store"), "{answer}");
    }
    // Single bytes at intervals do not extend it.
    let mut client = server.connect().await;
    client.send(&long_head()).await;
    trickle(client, BODY_TIMEOUT / 5).await;
}

/// H5
#[tokio::test]
async fn connection_reading_its_response_slowly_is_closed() {
    let server = Server::with_config(|config| config.server.timeouts.write = WRITE_TIMEOUT).await;
    let query = "%7B__schema%7Btypes%7Bname%20description%20fields%7Bname%20description%20args%7Bname%20description%7D%7D%7D%7D%7D";
    let request = format!("GET /graphql?query={query} HTTP/1.1\r\nHost: a\r\n\r\n");
    let requests = request.repeat(100);
    // One client reads nothing, the other reads little at intervals: far less than the required rate.
    for bite in [0, 512] {
        let mut client = server.connect_with_small_window().await;
        let begun = Instant::now();
        let mut left = requests.as_bytes();
        let mut buffer = vec![0; bite];
        let closed = loop {
            assert!(begun.elapsed() < TEST_TIMEOUT, "the connection stays open");
            let more = if left.is_empty() { b"\r\n" } else { left };
            match tokio::time::timeout(Duration::from_millis(20), client.0.write(more)).await {
                Ok(Ok(count)) => left = left.get(count..).unwrap_or_default(),
                Ok(Err(_)) => break begun.elapsed(),
                Err(_) => {}
            }
            if bite > 0 && client.0.read(&mut buffer).await.is_err() {
                break begun.elapsed();
            }
        };
        // A slow reader is undetectable until the system's buffers are full.
        assert!(closed > WRITE_TIMEOUT / 2, "{closed:?}");
    }
    server.assert_serves().await;
}

/// H5: a response in the system's buffers is written for the server, but its connection is still open.
#[tokio::test]
async fn connection_with_unread_buffered_response_is_closed() {
    let server = Server::with_config(|config| config.server.timeouts.write = WRITE_TIMEOUT).await;
    let query = "%7B__schema%7Btypes%7Bname%20description%7D%7D%7D";
    let mut client = server.connect_with_small_window().await;
    let begun = Instant::now();
    client.send(&format!("GET /graphql?query={query} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
    // Only a write shows whether the connection is open: a read would consume the response.
    let closed = loop {
        assert!(begun.elapsed() < TEST_TIMEOUT, "the connection stays open");
        tokio::time::sleep(Duration::from_millis(50)).await;
        if client.0.write_all(b"\r\n").await.is_err() {
            break begun.elapsed();
        }
    };
    assert!(closed > WRITE_TIMEOUT / 2, "{closed:?}");
    server.assert_serves().await;
}

/// Bytes beyond the client's buffer survive the server's close of its side.
#[tokio::test]
async fn response_before_close_is_delivered_whole() {
    let server = Server::new().await;
    let query = "%7B__schema%7Btypes%7Bname%20description%20fields%7Bname%20description%7D%7D%7D%7D";
    let request = format!("GET /graphql?query={query} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    for _ in 0..5 {
        let mut client = server.connect_with_small_window().await;
        client.send(&request).await;
        let mut answer = String::new();
        client.0.read_to_string(&mut answer).await.unwrap();
        assert!(answer.len() > 20_000 && answer.ends_with("}]}}}"), "{}", answer.len());
    }
}

/// H6
#[tokio::test]
async fn idle_connection_is_closed() {
    // The idle timeout is longer than the header timeout.
    let server = Server::with_config(|config| config.server.timeouts.head = BODY_TIMEOUT).await;
    let mut client = server.connect().await;
    for _ in 0..3 {
        client.send(KEPT_OPEN).await;
        client.read_until(r#"{"status":"ok"}"#).await;
        assert!(tokio::time::timeout(BODY_TIMEOUT * 3 / 2, client.0.peek(&mut [0])).await.is_err());
    }
    let server = Server::with_config(|config| config.server.timeouts.idle = IDLE_TIMEOUT).await;
    let mut client = server.connect().await;
    let begun = Instant::now();
    client.send(KEPT_OPEN).await;
    client.read_to_end().await;
    assert!(begun.elapsed() >= IDLE_TIMEOUT, "{:?}", begun.elapsed());
}
