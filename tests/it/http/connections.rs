//! How long clients may take, how many there may be, and how the server stops. Real time, in short deadlines.

use std::time::{Duration, Instant};

use accountd::http::server::descriptors;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

use crate::support::server::{
    BODY_TIMEOUT, Client, HEAD_TIMEOUT, IDLE_TIMEOUT, Server, TEST_TIMEOUT, WRITE_TIMEOUT, post,
};

const HALF_HEAD: &str = "GET /healthz HTTP/1.1\r\nHost: a\r\nX: ";
const KEPT_OPEN: &str = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
const READY: &str = "GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n";

/// A request whose body lacks its end.
fn half_body() -> (String, &'static str) {
    let whole = post("/graphql", r#"{"query":"{ me { id } }"}"#).replace("Connection: close\r\n", "");
    (whole.strip_suffix('}').unwrap().to_owned(), "}")
}

/// A request that has a long body, without the body.
fn long_head() -> String {
    format!("{}\r\n\r\n", post("/graphql", &" ".repeat(60_000)).trim_end())
}

/// Sends a byte now and then until the connection is closed.
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
    // No other deadline ends a connection of these.
    let server = Server::with_config(|config| config.server.timeouts.head = HEAD_TIMEOUT).await;
    for sent in ["", HALF_HEAD] {
        let begun = Instant::now();
        let mut client = server.connect().await;
        client.send(sent).await;
        client.read_to_end().await;
        assert!(begun.elapsed() >= HEAD_TIMEOUT, "{:?}", begun.elapsed());
    }
    // A byte now and then does not help.
    let mut client = server.connect().await;
    client.send(HALF_HEAD).await;
    trickle(client, HEAD_TIMEOUT / 4).await;
    // Neither does a request before.
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
    // A byte now and then does not help.
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
    // One takes nothing at all, the other a little now and then: far less than a request's share in a deadline.
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
        // Until the system's buffers are full, nobody can tell.
        assert!(closed > WRITE_TIMEOUT / 2, "{closed:?}");
    }
    server.assert_serves().await;
}

/// H5: an answer that fits into the system's buffers is not on the server's mind any more, but on its connection.
#[tokio::test]
async fn connection_with_unread_buffered_response_is_closed() {
    let server = Server::with_config(|config| config.server.timeouts.write = WRITE_TIMEOUT).await;
    let query = "%7B__schema%7Btypes%7Bname%20description%7D%7D%7D";
    let mut client = server.connect_with_small_window().await;
    let begun = Instant::now();
    client.send(&format!("GET /graphql?query={query} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
    // Whether it is open can be seen by writing alone: reading would take the answer.
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

/// What the client's buffer does not hold yet when the server closes its side is not lost.
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
    // Between requests there is more time than a header may take.
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

/// H7
#[tokio::test]
async fn connection_limit_applies_per_address() {
    let server = Server::with_config(|config| config.server.max_connections_per_address = 4).await;
    let mut held = Vec::new();
    for _ in 0..4 {
        let mut client = server.connect_from("127.0.0.2").await;
        client.send(KEPT_OPEN).await;
        client.read_until(r#"{"status":"ok"}"#).await;
        client.send(HALF_HEAD).await;
        held.push(client);
    }
    for _ in 0..20 {
        let mut refused = server.connect_from("127.0.0.2").await;
        refused.send(KEPT_OPEN).await;
        assert_eq!(refused.read_to_end().await, "");
    }
    server.assert_serves().await;
    held.pop();
    // The place comes back as soon as the server has seen the end.
    let begun = Instant::now();
    loop {
        let mut client = server.connect_from("127.0.0.2").await;
        client.send(&KEPT_OPEN.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")).await;
        if client.read_to_end().await.starts_with("HTTP/1.1 200") {
            break;
        }
        assert!(begun.elapsed() < TEST_TIMEOUT);
    }
    for mut client in held {
        client.send("a\r\nConnection: close\r\n\r\n").await;
        assert!(client.read_to_end().await.starts_with("HTTP/1.1 200"));
    }
}

/// H7
#[tokio::test]
async fn connections_over_the_limit_wait_for_a_free_slot() {
    let server = Server::with_config(|config| config.server.max_connections = 16).await;
    let mut held = Vec::new();
    for _ in 0..16 {
        let mut client = server.connect().await;
        client.send(HALF_HEAD).await;
        held.push(client);
    }
    let mut next = server.connect().await;
    next.send(KEPT_OPEN).await;
    assert!(tokio::time::timeout(HEAD_TIMEOUT, next.0.peek(&mut [0])).await.is_err(), "there was no place");
    held.pop();
    next.read_until(r#"{"status":"ok"}"#).await;
}

/// Z5
#[tokio::test]
async fn slow_clients_are_closed_while_others_are_served() {
    assert!(descriptors::raise_file_limit(2_000) >= 1_000, "the test needs file descriptors");
    let server = Server::with_config(|config| {
        config.server.max_connections_per_address = 1_000;
        (config.server.timeouts.head, config.server.timeouts.body) = (HEAD_TIMEOUT, BODY_TIMEOUT);
    })
    .await;
    let long_head = long_head();
    let mut crowd = JoinSet::new();
    for number in 0..400 {
        let mut client = server.connect().await;
        client.send(if number % 2 == 0 { HALF_HEAD } else { &long_head }).await;
        crowd.spawn(trickle(client, BODY_TIMEOUT / 4));
    }
    while !crowd.is_empty() {
        server.assert_serves().await;
        while crowd.try_join_next().transpose().unwrap().is_some() {}
    }
}

/// R12
#[tokio::test]
async fn shutdown_finishes_requests_and_accepts_no_new_ones() {
    let mut server = Server::new().await;
    assert!(server.exchange(&READY.replace("Host: a", "Host: a\r\nConnection: close")).await.contains(" 200 OK"));
    let (half, end) = half_body();
    let mut idle = server.connect().await;
    idle.send(KEPT_OPEN).await;
    idle.read_until(r#"{"status":"ok"}"#).await;
    let mut busy = server.connect().await;
    busy.send(&half.replacen("\r\n", "\r\nExpect: 100-continue\r\n", 1)).await;
    busy.read_until("100 Continue\r\n\r\n").await;
    let mut probe = server.connect().await;
    probe.send(&READY[..20]).await;
    // An answer on a later connection tells that the server has read what was sent on earlier ones.
    server.assert_serves().await;
    server.stop();
    assert_eq!(idle.read_to_end().await, "", "idle connections are closed at once");
    assert!(tokio::net::TcpStream::connect(server.address).await.is_err(), "nothing new is taken");
    probe.send(&READY[20..]).await;
    let answer = probe.read_to_end().await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("NOT_READY"), "{answer}");
    busy.send(end).await;
    let answer = busy.read_to_end().await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("connection: close"), "{answer}");
    // Nothing is left to wait for.
    server.wait_for_end().await;
}

/// R12
#[tokio::test]
async fn shutdown_ends_at_its_deadline_or_the_second_signal() {
    for at_once in [false, true] {
        let drain = if at_once { TEST_TIMEOUT * 2 } else { Duration::from_millis(400) };
        let mut server = Server::with_config(|config| {
            (config.server.drain_timeout, config.server.timeouts.request) = (drain, TEST_TIMEOUT * 2);
            config.server.max_connections_per_address = 1_000;
        })
        .await;
        let mut stuck = Vec::new();
        for _ in 0..100 {
            let mut client = server.connect().await;
            client.send(&half_body().0).await;
            stuck.push(client);
        }
        server.assert_serves().await;
        let begun = Instant::now();
        server.stop();
        if at_once {
            server.stop_at_once();
        }
        server.wait_for_end().await;
        assert!(at_once || begun.elapsed() >= drain, "{:?}", begun.elapsed());
        for mut client in stuck {
            assert_eq!(client.read_to_end().await, "");
        }
    }
}
