//! HTTP framing: lengths, methods, and ambiguous requests (request smuggling).

mod limits;

use crate::support::server::{IDLE_TIMEOUT, Server, post};

/// The status codes of all responses on a connection.
fn statuses(text: &str) -> Vec<&str> {
    text.split("HTTP/1.1 ").skip(1).filter_map(|answer| answer.get(..3)).collect()
}

const NEXT: &str = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

/// H9
#[tokio::test]
async fn ambiguous_framing_is_refused_and_closes() {
    // Without refusal the connection ends by timeout.
    let server = Server::with_config(|config| config.server.timeouts.idle = IDLE_TIMEOUT).await;
    let json = "Content-Type: application/json\r\n";
    // Bodies that would be executed if the request were accepted.
    let plain = r#"{"query":"{me{id}}"}"#;
    let chunked = format!("14\r\n{plain}\r\n0\r\n\r\n");
    for (what, head, body) in [
        ("lengths that differ", "Host: a\r\nContent-Length: 20\r\nContent-Length: 21", plain),
        ("equal lengths", "Host: a\r\nContent-Length: 20\r\nContent-Length: 20", plain),
        ("a list of lengths", "Host: a\r\nContent-Length: 20, 20", plain),
        ("a signed length", "Host: a\r\nContent-Length: +20", plain),
        ("a negative length", "Host: a\r\nContent-Length: -20", plain),
        ("a length in hex", "Host: a\r\nContent-Length: 0x14", plain),
        ("an empty length", "Host: a\r\nContent-Length:", plain),
        ("an endless length", "Host: a\r\nContent-Length: 18446744073709551636", plain),
        ("length, then coding", "Host: a\r\nContent-Length: 30\r\nTransfer-Encoding: chunked", &chunked),
        ("coding, then length", "Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 30", &chunked),
        ("shouted", "Host: a\r\nTRANSFER-ENCODING: chunked\r\nCONTENT-LENGTH: 30", &chunked),
        ("an unknown coding", "Host: a\r\nTransfer-Encoding: xchunked", &chunked),
        ("two codings", "Host: a\r\nTransfer-Encoding: gzip, chunked", &chunked),
        ("two coding headers", "Host: a\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked", &chunked),
        ("no coding at last", "Host: a\r\nTransfer-Encoding: chunked, identity", &chunked),
        ("a quoted coding", "Host: a\r\nTransfer-Encoding: \"chunked\"", &chunked),
        ("a vertical tab before the coding", "Host: a\r\nTransfer-Encoding: \x0bchunked", &chunked),
        ("a space before a colon", "Host: a\r\nContent-Length : 20", plain),
        ("a CR in a value", "Host: a\r\nX: a\rContent-Length: 20", plain),
        ("a NUL in a value", "Host: a\r\nX: a\0b", ""),
        ("a folded line", "Host: a\r\nX: a\r\n Content-Length: 20", plain),
        ("a line without a name", "Host: a\r\n: x", ""),
        ("no colon", "Host: a\r\nX", ""),
        ("a bad chunk size", "Host: a\r\nTransfer-Encoding: chunked", &chunked.replacen("14", "x", 1)),
        ("a huge chunk size", "Host: a\r\nTransfer-Encoding: chunked", &chunked.replacen("14", "10000000000000014", 1)),
        ("a signed chunk size", "Host: a\r\nTransfer-Encoding: chunked", &chunked.replacen("14", "+14", 1)),
        ("a chunk without an end", "Host: a\r\nTransfer-Encoding: chunked", &chunked.replacen("}\r\n", "}", 1)),
        ("no host", "X: a", ""),
        ("two hosts", "Host: a\r\nHost: b", ""),
        ("equal hosts", "Host: a\r\nHost: a", ""),
        ("an empty host", "Host:", ""),
        ("a host that is none", "Host: a/b", ""),
        ("a host with a user", "Host: u@a", ""),
        ("nothing", "Host: a", ""),
    ] {
        let length = if body.is_empty() { "Content-Length: 20\r\n" } else { "" };
        let body = if body.is_empty() { plain } else { body };
        let answer =
            server.exchange(&format!("POST /graphql HTTP/1.1\r\n{json}{length}{head}\r\n\r\n{body}{NEXT}")).await;
        // Only the last one is valid, and so is the request after it.
        let expected = if what == "nothing" { &["200", "200"][..] } else { &["400"] };
        assert_eq!(statuses(&answer), expected, "{what}: {answer}");
        assert!(!answer.to_ascii_lowercase().contains("\r\nserver:"), "{what}: {answer}");
    }
}

/// H9
#[tokio::test]
async fn ambiguous_request_line_is_refused() {
    let server = Server::new().await;
    for line in [
        "GET  /healthz HTTP/1.1",
        "GET /healthz HTTP/2.0",
        "GET /healthz HTTP/1.1 x",
        "GET /healthz",
        "GET /health\tz HTTP/1.1",
        "G@T /healthz HTTP/1.1",
        // RFC 9112 section 3.2.2 has servers accept this form; the host must match, though.
        "GET http://b/healthz HTTP/1.1",
    ] {
        let answer = server.exchange(&format!("{line}\r\nHost: a\r\n\r\n{NEXT}")).await;
        assert_eq!(statuses(&answer), ["400"], "{line}: {answer}");
    }
    let closing = "Connection: close\r\n\r\n";
    let same = server.exchange(&format!("GET http://a/healthz HTTP/1.1\r\nHost: A\r\n{closing}")).await;
    assert_eq!(statuses(&same), ["200"], "{same}");
    let old = server.exchange("GET /healthz HTTP/1.0\r\n\r\n").await;
    assert!(old.starts_with("HTTP/1.0 200"), "{old}");
    let preface = server.exchange("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    assert!(statuses(&preface).iter().all(|status| *status == "400"), "{preface}");
}

/// H9: pipelining neither hides an invalid request nor rejects a valid one.
#[tokio::test]
async fn pipelined_request_heads_are_all_checked() {
    let server = Server::new().await;
    let body = r#"{"query":"{ me { id } }"}"#;
    let kept = post("/graphql", body).replace("Connection: close\r\n", "");
    let smuggled =
        "POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    let chunked = format!(
        "POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n\
         {:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    let long = post("/graphql", &format!("{body}{}", " ".repeat(50_000))).replace("Connection: close\r\n", "");
    for (row, expected) in [
        ([NEXT, &kept, NEXT, smuggled, NEXT].concat(), &["200", "200", "200", "400"][..]),
        ([&kept, "\r\n\r\n", &long, smuggled, NEXT].concat(), &["200", "200", "400"]),
        // Requests after chunks are not parsed: chunked bodies end the connection.
        ([NEXT, &chunked, NEXT].concat(), &["200", "200"]),
        ([NEXT, smuggled, NEXT].concat().replace("\r\n", "\n"), &["200", "400"]),
    ] {
        let whole = server.exchange(&row).await;
        assert_eq!(statuses(&whole), expected, "{row}\n{whole}");
        let mut client = server.connect().await;
        for part in row.as_bytes().chunks(97) {
            client.send(std::str::from_utf8(part).unwrap()).await;
            tokio::task::yield_now().await;
        }
        assert_eq!(statuses(&client.read_to_end().await), expected, "in parts: {row}");
    }
    // Some clients end a request with an extra empty line.
    let mut client = server.connect().await;
    client.send(&kept).await;
    client.read_until(r#"{"data":{"me":null}}"#).await;
    client.send("\r\n").await;
    client.send(smuggled).await;
    assert_eq!(statuses(&client.read_to_end().await), ["400"]);
}

/// H10
#[tokio::test]
async fn unsupported_methods_are_refused() {
    let server = Server::new().await;
    for (method, path, expected) in [
        ("TRACE", "/graphql", "405"),
        ("TRACE", "/healthz", "405"),
        ("TRACE", "/login", "405"),
        ("TRACE", "/nowhere", "404"),
        ("TRACK", "/graphql", "405"),
        ("DEBUG", "/healthz", "405"),
        ("PROPFIND", "/login", "405"),
        ("DELETE", "/graphql", "405"),
        ("CONNECT", "b:80", "404"),
        ("OPTIONS", "*", "404"),
        ("HEAD", "/healthz", "200"),
        ("HEAD", "/nowhere", "404"),
    ] {
        let host = if path == "b:80" { path } else { "a" };
        let secret = "hunter2";
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nX-Secret: {secret}\r\nConnection: close\r\n\r\n");
        let answer = server.exchange(&request).await;
        assert_eq!(statuses(&answer), [expected], "{method} {path}: {answer}");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(!answer.contains(secret), "{answer}");
        assert!(body.is_empty() || method != "HEAD", "{answer}");
        assert!(!head.to_ascii_lowercase().contains("\r\nserver:") && !head.contains("x-powered-by"), "{answer}");
        assert!(head.contains("x-content-type-options: nosniff") && head.contains("x-request-id: "), "{answer}");
    }
}

/// H8: HTTP/2 is not supported, and nothing is upgraded to it.
#[tokio::test]
async fn http_2_is_refused() {
    let server = Server::new().await;
    let mut client = server.connect().await;
    client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    let answer = client.read_to_end().await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400") || answer.starts_with("HTTP/1.1 505"), "{answer}");
    let upgrade = "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\n\
                   HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n";
    let answer = server.exchange(upgrade).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && !answer.to_lowercase().contains("upgrade"), "{answer}");
    server.assert_serves().await;
}
