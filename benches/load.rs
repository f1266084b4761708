//! Load generator: closed-loop connections, each with one request in flight.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::ROUND;

/// How long a client waits after a "busy" response.
const BUSY_RETRY_INTERVAL: Duration = Duration::from_millis(20);

/// Formats a GraphQL request with its HTTP header.
pub fn graphql(token: &str, query: &str, variables: &Value) -> String {
    let body = json!({ "query": query, "variables": variables }).to_string();
    let authorization = if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
    format!(
        "POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{authorization}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A keep-alive connection.
pub struct Connection(TcpStream);

impl Connection {
    /// Connects to a local port.
    pub fn open(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
        stream.set_nodelay(true).expect("TCP_NODELAY");
        Self(stream)
    }

    /// Sends a request and returns the response body, read by its `content-length`.
    pub fn exchange(&mut self, request: &str) -> String {
        self.0.write_all(request.as_bytes()).expect("a request");
        let (mut response, mut buffer) = (Vec::new(), [0; 16_384]);
        loop {
            let count = self.0.read(&mut buffer).expect("a response");
            assert!(count > 0, "the server closed the connection: {}", String::from_utf8_lossy(&response));
            response.extend_from_slice(&buffer[..count]);
            let Some(end) = response.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
            if response.len() - end - 4 >= content_length(&response[..end]) {
                return String::from_utf8(response.split_off(end + 4)).expect("text");
            }
        }
    }
}

fn content_length(header: &[u8]) -> usize {
    let header = std::str::from_utf8(header).expect("a header");
    let value = |line: &str| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    };
    header.lines().find_map(value).expect("a length")
}

/// The response times of one round.
pub struct Sample {
    times: Vec<Duration>,
    elapsed: Duration,
}

impl Sample {
    /// Responses per second.
    pub fn rate(&self) -> f64 {
        self.times.len() as f64 / self.elapsed.as_secs_f64()
    }

    /// The 99th percentile in milliseconds.
    pub fn p99(&self) -> f64 {
        let mut times = self.times.clone();
        times.sort();
        times[times.len() * 99 / 100].as_secs_f64() * 1_000.0
    }
}

/// Produces the next request of a connection from the last response.
pub trait RequestSource: FnMut(&str) -> String + Send + 'static {}

impl<F: FnMut(&str) -> String + Send + 'static> RequestSource for F {}

/// Repeats one request.
pub fn repeat(request: String) -> impl RequestSource {
    move |_: &str| request.clone()
}

/// Runs `connections` connections for one round.
pub fn run<A: RequestSource>(port: u16, connections: usize, requests: impl Fn(usize) -> A) -> Sample {
    let started = Instant::now();
    let load = LoadGenerator::start(port, connections, requests);
    thread::sleep(ROUND);
    let times = load.stop();
    Sample { times, elapsed: started.elapsed() }
}

/// Connections that send requests until they are stopped.
pub struct LoadGenerator {
    is_stopped: Arc<AtomicBool>,
    running: Vec<JoinHandle<Vec<Duration>>>,
}

impl LoadGenerator {
    /// Starts the connections; `requests` gives each one its source.
    pub fn start<A: RequestSource>(port: u16, connections: usize, requests: impl Fn(usize) -> A) -> Self {
        let is_stopped = Arc::new(AtomicBool::new(false));
        let running =
            (0..connections).map(|index| spawn_client(port, requests(index), Arc::clone(&is_stopped))).collect();
        Self { is_stopped, running }
    }

    /// Stops the load; returns the times of all responses but "busy".
    pub fn stop(self) -> Vec<Duration> {
        self.is_stopped.store(true, Ordering::Relaxed);
        self.running.into_iter().flat_map(|connection| connection.join().expect("a connection")).collect()
    }
}

fn spawn_client(port: u16, mut next: impl RequestSource, is_stopped: Arc<AtomicBool>) -> JoinHandle<Vec<Duration>> {
    thread::spawn(move || {
        let mut connection = Connection::open(port);
        let (mut times, mut response) = (Vec::new(), String::new());
        while !is_stopped.load(Ordering::Relaxed) {
            let request = next(&response);
            let started = Instant::now();
            response = connection.exchange(&request);
            if response.contains("SERVER_BUSY") {
                thread::sleep(BUSY_RETRY_INTERVAL);
            } else {
                times.push(started.elapsed());
            }
        }
        times
    })
}
