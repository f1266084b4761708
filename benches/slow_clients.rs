//! Slow clients: half-open requests and slow bodies are closed in time, and other clients are not affected (promises
//! H3, H4).

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::load::{LoadGenerator, graphql, repeat};
use crate::reads::ME_QUERY;
use crate::report::Report;
use crate::server::{Server, TempDirectory};

/// Clients of each kind.
const CLIENTS: usize = 200;

/// Longest wait for the server to close.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

const HALF_HEAD: &str = "POST /graphql HTTP/1.1\r\nhost: local";
const SLOW_BODY: &str =
    "POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{";

/// Measures how long slow clients stay, and `me` meanwhile.
pub fn measure(report: &mut Report) {
    let directory = TempDirectory::new();
    // All of them have one address here.
    let settings = [("ACCOUNTD_LIMITS__ENABLED", "false"), ("ACCOUNTD_SERVER__MAX_CONNECTIONS_PER_ADDRESS", "1000")];
    let server = Server::start_with(&directory, &settings);
    let me = graphql(&server.register("ann").0, ME_QUERY, &json!({}));
    let load = LoadGenerator::start(server.port, 1, |_| repeat(me.clone()));
    let started = Instant::now();
    let clients = [HALF_HEAD, SLOW_BODY].into_iter().flat_map(|text| std::iter::repeat_n(text, CLIENTS));
    let waiting: Vec<_> = clients.map(|text| send_and_wait(server.port, text)).collect();
    for client in waiting {
        client.join().expect("a client");
    }
    let closed_after = started.elapsed().as_secs_f64();
    let mut times = load.stop();
    times.sort();
    let p99 = times[times.len() * 99 / 100].as_secs_f64() * 1_000.0;
    let name = format!("{CLIENTS} half-open requests and {CLIENTS} slow bodies are closed after");
    report.record_with_target(name, format!("{closed_after:.1} s"), "15 s or less");
    report.record_with_target("99th percentile of `me` meanwhile", format!("{p99:.1} ms"), "100 ms or less");
}

/// Sends some text and waits until the server closes the connection.
fn send_and_wait(port: u16, text: &'static str) -> thread::JoinHandle<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    stream.set_read_timeout(Some(READ_TIMEOUT)).expect("a limit");
    stream.write_all(text.as_bytes()).expect("some text");
    thread::spawn(move || {
        let mut response = Vec::new();
        match stream.read_to_end(&mut response) {
            Ok(_) => {}
            Err(error) => assert!(error.kind() == std::io::ErrorKind::ConnectionReset, "{error}"),
        }
    })
}
