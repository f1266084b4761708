//! Connection limits, per address and in total.

use std::time::Instant;

use accountd::http::server::descriptors;
use tokio::task::JoinSet;

use super::{HALF_HEAD, KEPT_OPEN, long_head, trickle};
use crate::support::server::{BODY_TIMEOUT, HEAD_TIMEOUT, Server, TEST_TIMEOUT};

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
    // The slot is free as soon as the server has seen the end.
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
    assert!(tokio::time::timeout(HEAD_TIMEOUT, next.0.peek(&mut [0])).await.is_err(), "no slot was free");
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
    let mut clients = JoinSet::new();
    for number in 0..400 {
        let mut client = server.connect().await;
        client.send(if number % 2 == 0 { HALF_HEAD } else { &long_head }).await;
        clients.spawn(trickle(client, BODY_TIMEOUT / 4));
    }
    while !clients.is_empty() {
        server.assert_serves().await;
        while clients.try_join_next().transpose().unwrap().is_some() {}
    }
}
