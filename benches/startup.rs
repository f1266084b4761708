//! Startup: time to the first login on an empty directory, time to ready on an existing database, memory at rest.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::median;
use crate::report::Report;
use crate::server::{Server, TempDirectory};

const ROUNDS: usize = 7;

/// Measures startup and memory at rest.
pub fn measure(report: &mut Report) {
    let (mut first_login, mut ready, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let directory = TempDirectory::new();
        let body =
            r#"{"query":"mutation { login(input: { username: \"unknown\", password: \"x\" }) { errors { code } } }"}"#;
        let login = format!(
            "POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nconnection: close\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let started = Instant::now();
        let server = Server::spawn_unready(&directory, &[]);
        assert!(send_until_answered(server.port, &login).contains("INVALID_CREDENTIALS"));
        first_login.push(started.elapsed().as_secs_f64());
        drop(server);

        let started = Instant::now();
        let server = Server::spawn_unready(&directory, &[]);
        ready.push(seconds_until_ready(&server, started));
        memory.push(server.resident_mib());
    }
    report.record_with_target(
        "first login on an empty directory",
        format!("{:.3} s", median(first_login)),
        "2 s or less",
    );
    report.record_with_target("ready on an existing database", format!("{:.3} s", median(ready)), "0.2 s or less");
    report.record_with_target("memory at rest", format!("{:.0} MiB", median(memory)), "30 MiB or less");
}

/// The seconds from `started` until the server is ready.
pub fn seconds_until_ready(server: &Server, started: Instant) -> f64 {
    let response =
        send_until_answered(server.port, "GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    started.elapsed().as_secs_f64()
}

/// Sends the request until the server accepts it, for at most ten seconds.
fn send_until_answered(port: u16, request: &str) -> String {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        assert!(Instant::now() < deadline, "no response within ten seconds");
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
            thread::sleep(Duration::from_millis(1));
            continue;
        };
        let mut response = String::new();
        stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_string(&mut response).map(drop)).ok();
        if !response.is_empty() {
            return response;
        }
    }
}
