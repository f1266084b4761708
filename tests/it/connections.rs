//! How long clients may take, how many there may be, and how the server stops. Real time, in short deadlines.

use std::time::{Duration, Instant};

use accountd::http::server::descriptors;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

use crate::support::server::{BODY, Client, HEAD, IDLE, PATIENCE, Server, WRITE, post};

const HALF_HEAD: &str = "GET /healthz HTTP/1.1\r\nHost: a\r\nX: ";
const KEPT: &str = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
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
    while begun.elapsed() < PATIENCE {
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
async fn closes_what_sends_its_header_too_slowly() {
    // No other deadline ends a connection of these.
    let server = Server::tuned(|config| config.server.deadlines.head = HEAD).await;
    for sent in ["", HALF_HEAD] {
        let begun = Instant::now();
        let mut client = server.connect().await;
        client.send(sent).await;
        client.rest().await;
        assert!(begun.elapsed() >= HEAD, "{:?}", begun.elapsed());
    }
    // A byte now and then does not help.
    let mut client = server.connect().await;
    client.send(HALF_HEAD).await;
    trickle(client, HEAD / 4).await;
    // Neither does a request before.
    let mut client = server.connect().await;
    client.send(KEPT).await;
    client.until(r#"{"status":"ok"}"#).await;
    client.send(HALF_HEAD).await;
    trickle(client, HEAD / 4).await;
}

/// Z5, H4
#[tokio::test]
async fn closes_what_sends_its_body_too_slowly() {
    let server = Server::tuned(|config| config.server.deadlines.body = BODY).await;
    let chunked =
        "POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    for request in [half_body().0, format!("{chunked}ff\r\n{{"), half_body().0.replace("/graphql", "/login")] {
        let begun = Instant::now();
        let answer = server.exchange(&request).await;
        assert!(begun.elapsed() >= BODY, "{:?}", begun.elapsed());
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("cache-control: no-store"), "{answer}");
    }
    // A byte now and then does not help.
    let mut client = server.connect().await;
    client.send(&long_head()).await;
    trickle(client, BODY / 5).await;
}

/// H5
#[tokio::test]
async fn closes_what_takes_its_answer_too_slowly() {
    let server = Server::tuned(|config| config.server.deadlines.write = WRITE).await;
    let query = "%7B__schema%7Btypes%7Bname%20description%20fields%7Bname%20description%20args%7Bname%20description%7D%7D%7D%7D%7D";
    let request = format!("GET /graphql?query={query} HTTP/1.1\r\nHost: a\r\n\r\n");
    let requests = request.repeat(100);
    // One takes nothing at all, the other a little now and then: far less than a request's share in a deadline.
    for bite in [0, 512] {
        let mut client = server.connect_narrowly().await;
        let begun = Instant::now();
        let mut left = requests.as_bytes();
        let mut buffer = vec![0; bite];
        let closed = loop {
            assert!(begun.elapsed() < PATIENCE, "the connection stays open");
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
        assert!(closed > WRITE / 2, "{closed:?}");
    }
    server.me().await;
}

/// H5: an answer that fits into the system's buffers is not on the server's mind any more, but on its connection.
#[tokio::test]
async fn closes_what_takes_nothing_of_an_answer_that_the_system_keeps() {
    let server = Server::tuned(|config| config.server.deadlines.write = WRITE).await;
    let query = "%7B__schema%7Btypes%7Bname%20description%7D%7D%7D";
    let mut client = server.connect_narrowly().await;
    let begun = Instant::now();
    client.send(&format!("GET /graphql?query={query} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
    // Whether it is open can be seen by writing alone: reading would take the answer.
    let closed = loop {
        assert!(begun.elapsed() < PATIENCE, "the connection stays open");
        tokio::time::sleep(Duration::from_millis(50)).await;
        if client.0.write_all(b"\r\n").await.is_err() {
            break begun.elapsed();
        }
    };
    assert!(closed > WRITE / 2, "{closed:?}");
    server.me().await;
}

/// What the client's buffer does not hold yet when the server closes its side is not lost.
#[tokio::test]
async fn delivers_all_of_an_answer_that_closes_its_connection() {
    let server = Server::new().await;
    let query = "%7B__schema%7Btypes%7Bname%20description%20fields%7Bname%20description%7D%7D%7D%7D";
    let request = format!("GET /graphql?query={query} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    for _ in 0..5 {
        let mut client = server.connect_narrowly().await;
        client.send(&request).await;
        let mut answer = String::new();
        client.0.read_to_string(&mut answer).await.unwrap();
        assert!(answer.len() > 20_000 && answer.ends_with("}]}}}"), "{}", answer.len());
    }
}

/// H6
#[tokio::test]
async fn closes_idle_connections() {
    // Between requests there is more time than a header may take.
    let server = Server::tuned(|config| config.server.deadlines.head = BODY).await;
    let mut client = server.connect().await;
    for _ in 0..3 {
        client.send(KEPT).await;
        client.until(r#"{"status":"ok"}"#).await;
        assert!(tokio::time::timeout(BODY * 3 / 2, client.0.peek(&mut [0])).await.is_err());
    }
    let server = Server::tuned(|config| config.server.deadlines.idle = IDLE).await;
    let mut client = server.connect().await;
    let begun = Instant::now();
    client.send(KEPT).await;
    client.rest().await;
    assert!(begun.elapsed() >= IDLE, "{:?}", begun.elapsed());
}

/// H7
#[tokio::test]
async fn an_address_has_its_share_and_others_have_theirs() {
    let server = Server::tuned(|config| config.server.max_connections_per_address = 4).await;
    let mut held = Vec::new();
    for _ in 0..4 {
        let mut client = server.connect_from("127.0.0.2").await;
        client.send(KEPT).await;
        client.until(r#"{"status":"ok"}"#).await;
        client.send(HALF_HEAD).await;
        held.push(client);
    }
    for _ in 0..20 {
        let mut refused = server.connect_from("127.0.0.2").await;
        refused.send(KEPT).await;
        assert_eq!(refused.rest().await, "");
    }
    server.me().await;
    held.pop();
    // The place comes back as soon as the server has seen the end.
    let begun = Instant::now();
    loop {
        let mut client = server.connect_from("127.0.0.2").await;
        client.send(&KEPT.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")).await;
        if client.rest().await.starts_with("HTTP/1.1 200") {
            break;
        }
        assert!(begun.elapsed() < PATIENCE);
    }
    for mut client in held {
        client.send("a\r\nConnection: close\r\n\r\n").await;
        assert!(client.rest().await.starts_with("HTTP/1.1 200"));
    }
}

/// H7
#[tokio::test]
async fn more_connections_than_places_wait_for_their_turn() {
    let server = Server::tuned(|config| config.server.max_connections = 16).await;
    let mut held = Vec::new();
    for _ in 0..16 {
        let mut client = server.connect().await;
        client.send(HALF_HEAD).await;
        held.push(client);
    }
    let mut next = server.connect().await;
    next.send(KEPT).await;
    assert!(tokio::time::timeout(HEAD, next.0.peek(&mut [0])).await.is_err(), "there was no place");
    held.pop();
    next.until(r#"{"status":"ok"}"#).await;
}

/// Z5
#[tokio::test]
async fn a_crowd_of_slow_clients_is_gone_in_time_while_others_are_served() {
    assert!(descriptors::provide(2_000) >= 1_000, "the test needs file descriptors");
    let server = Server::tuned(|config| {
        config.server.max_connections_per_address = 1_000;
        (config.server.deadlines.head, config.server.deadlines.body) = (HEAD, BODY);
    })
    .await;
    let long_head = long_head();
    let mut crowd = JoinSet::new();
    for number in 0..400 {
        let mut client = server.connect().await;
        client.send(if number % 2 == 0 { HALF_HEAD } else { &long_head }).await;
        crowd.spawn(trickle(client, BODY / 4));
    }
    while !crowd.is_empty() {
        server.me().await;
        while crowd.try_join_next().transpose().unwrap().is_some() {}
    }
}

/// R12
#[tokio::test]
async fn finishes_what_was_begun_and_takes_nothing_new() {
    let mut server = Server::new().await;
    assert!(server.exchange(&READY.replace("Host: a", "Host: a\r\nConnection: close")).await.contains(" 200 OK"));
    let (half, end) = half_body();
    let mut idle = server.connect().await;
    idle.send(KEPT).await;
    idle.until(r#"{"status":"ok"}"#).await;
    let mut busy = server.connect().await;
    busy.send(&half.replacen("\r\n", "\r\nExpect: 100-continue\r\n", 1)).await;
    busy.until("100 Continue\r\n\r\n").await;
    let mut probe = server.connect().await;
    probe.send(&READY[..20]).await;
    // An answer on a later connection tells that the server has read what was sent on earlier ones.
    server.me().await;
    server.stop();
    assert_eq!(idle.rest().await, "", "idle connections are closed at once");
    assert!(tokio::net::TcpStream::connect(server.address).await.is_err(), "nothing new is taken");
    probe.send(&READY[20..]).await;
    let answer = probe.rest().await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("NOT_READY"), "{answer}");
    busy.send(end).await;
    let answer = busy.rest().await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("connection: close"), "{answer}");
    // Nothing is left to wait for.
    server.ended().await;
}

/// R12
#[tokio::test]
async fn stops_at_its_deadline_or_at_the_second_word() {
    for at_once in [false, true] {
        let drain = if at_once { PATIENCE * 2 } else { Duration::from_millis(400) };
        let mut server = Server::tuned(|config| {
            (config.server.drain, config.server.deadlines.request) = (drain, PATIENCE * 2);
            config.server.max_connections_per_address = 1_000;
        })
        .await;
        let mut stuck = Vec::new();
        for _ in 0..100 {
            let mut client = server.connect().await;
            client.send(&half_body().0).await;
            stuck.push(client);
        }
        server.me().await;
        let begun = Instant::now();
        server.stop();
        if at_once {
            server.stop_at_once();
        }
        server.ended().await;
        assert!(at_once || begun.elapsed() >= drain, "{:?}", begun.elapsed());
        for mut client in stuck {
            assert_eq!(client.rest().await, "");
        }
    }
}
