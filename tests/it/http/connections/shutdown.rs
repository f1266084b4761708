//! Shutdown: requests in progress, deadline and second signal.

use std::time::{Duration, Instant};

use super::{KEPT_OPEN, half_body};
use crate::support::server::{Server, TEST_TIMEOUT};

const READY: &str = "GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n";

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
    // A response on a later connection proves that the server has read earlier ones.
    server.assert_serves().await;
    server.stop();
    assert_eq!(idle.read_to_end().await, "", "idle connections are closed at once");
    assert!(tokio::net::TcpStream::connect(server.address).await.is_err(), "new requests are refused");
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
