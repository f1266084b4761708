//! Limits on heads and bodies.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::statuses;
use crate::support::server::{Server, post};

/// H1, Z4
#[tokio::test]
async fn body_limit_is_64_kib_in_every_framing() {
    let server = Server::new().await;
    let most = 64 * 1024;
    let padded = |length: usize| format!("{{}}{}", " ".repeat(length - 2));
    let chunked = |path: &str, body: &str| {
        let head = "Host: a\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked";
        let chunks: String = body
            .as_bytes()
            .chunks(4_096)
            .map(|chunk| format!("{:x}\r\n{}\r\n", chunk.len(), std::str::from_utf8(chunk).unwrap()))
            .collect();
        format!("POST {path} HTTP/1.1\r\n{head}\r\n\r\n{chunks}0\r\n\r\n")
    };
    for path in ["/graphql", "/login"] {
        for request in [post(path, &padded(most)), chunked(path, &padded(most))] {
            let answer = server.exchange(&request).await;
            assert_eq!(statuses(&answer).len(), 1);
            assert_ne!(statuses(&answer), ["413"], "{path}");
        }
        for request in [post(path, &padded(most + 1)), chunked(path, &padded(most + 1)), post(path, &padded(500_000))] {
            let answer = server.exchange(&request).await;
            assert_eq!(statuses(&answer), ["413"], "{path}: {answer}");
            assert!(answer.contains("cache-control: no-store"), "{answer}");
        }
        // The length alone suffices: no body is sent here.
        let answer = server
            .exchange(&format!("{}\r\n\r\n", post(path, &padded(most + 1)).split_once("\r\n\r\n").unwrap().0))
            .await;
        assert_eq!(statuses(&answer), ["413"], "{path}: {answer}");
        let waiting = post(path, &padded(most + 1)).replacen("\r\n", "\r\nExpect: 100-continue\r\n", 1);
        let answer = server.exchange(waiting.split_inclusive("\r\n\r\n").next().unwrap()).await;
        assert_eq!(statuses(&answer), ["413"], "{path}: {answer}");
    }
}

/// A reset connection loses its response: the server drains a refused body.
#[tokio::test]
async fn refused_body_is_drained_before_close() {
    let server = Server::new().await;
    let mut client = server.connect().await;
    let request = post("/graphql", &" ".repeat(900_000));
    for part in request.as_bytes().chunks(100_000) {
        client.0.write_all(part).await.unwrap();
        tokio::task::yield_now().await;
    }
    client.0.shutdown().await.unwrap();
    let mut answer = String::new();
    client.0.read_to_string(&mut answer).await.unwrap();
    assert_eq!(statuses(&answer), ["413"]);
}

#[tokio::test]
async fn request_head_size_is_limited() {
    let server = Server::new().await;
    let get =
        |target: &str, headers: &str| format!("GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}\r\n");
    let fields = |count: usize| (0..count).map(|number| format!("X{number}: a\r\n")).collect::<String>();
    for (request, expected) in [
        (get("/healthz", &fields(62)), "200"),
        (get("/healthz", &fields(63)), "431"),
        (get("/healthz", &format!("X: {}\r\n", "a".repeat(15_000))), "200"),
        (get("/healthz", &format!("X: {}\r\n", "a".repeat(17_000))), "431"),
        (get(&format!("/{}", "a".repeat(8_191)), ""), "404"),
        (get(&format!("/{}", "a".repeat(8_192)), ""), "414"),
        (get(&format!("/healthz?{}", "a".repeat(8_200)), ""), "414"),
    ] {
        let answer = server.exchange(&request).await;
        assert_eq!(statuses(&answer), [expected], "{}", &request[..60]);
    }
}
