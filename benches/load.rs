//! The other side: connections that ask without pause, each when its last answer is there.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::ROUND;

/// How long a client waits that was told to come again.
const BUSY_RETRY_INTERVAL: Duration = Duration::from_millis(20);

/// A request that can be sent as it is.
pub fn graphql(token: &str, query: &str, variables: &Value) -> String {
    let body = json!({ "query": query, "variables": variables }).to_string();
    let authorization = if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
    format!(
        "POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{authorization}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A kept connection.
pub struct Connection(TcpStream);

impl Connection {
    pub fn open(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        Self(stream)
    }

    /// Sends a request and tells the body of its answer, whose length stands in its head.
    pub fn exchange(&mut self, request: &str) -> String {
        self.0.write_all(request.as_bytes()).expect("a request");
        let (mut answer, mut buffer) = (Vec::new(), [0; 16_384]);
        loop {
            let count = self.0.read(&mut buffer).expect("an answer");
            assert!(count > 0, "the server closed the connection: {}", String::from_utf8_lossy(&answer));
            answer.extend_from_slice(&buffer[..count]);
            let Some(end) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
            if answer.len() - end - 4 >= content_length(&answer[..end]) {
                return String::from_utf8(answer.split_off(end + 4)).expect("text");
            }
        }
    }
}

fn content_length(head: &[u8]) -> usize {
    let head = std::str::from_utf8(head).expect("a head");
    let value = |line: &str| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    };
    head.lines().find_map(value).expect("a length")
}

/// What a few connections got in one round.
pub struct Sample {
    times: Vec<Duration>,
    elapsed: Duration,
}

impl Sample {
    /// Answers a second.
    pub fn rate(&self) -> f64 {
        self.times.len() as f64 / self.elapsed.as_secs_f64()
    }

    /// The time that 99 of 100 answers stay below, in milliseconds.
    pub fn p99(&self) -> f64 {
        let mut times = self.times.clone();
        times.sort();
        times[times.len() * 99 / 100].as_secs_f64() * 1_000.0
    }
}

/// What a connection asks next, after the last answer.
pub trait RequestSource: FnMut(&str) -> String + Send + 'static {}

impl<F: FnMut(&str) -> String + Send + 'static> RequestSource for F {}

/// The same again and again.
pub fn repeat(request: String) -> impl RequestSource {
    move |_: &str| request.clone()
}

/// Lets `connections` ask for one round.
pub fn run<A: RequestSource>(port: u16, connections: usize, asks: impl Fn(usize) -> A) -> Sample {
    let begun = Instant::now();
    let crowd = LoadGenerator::start(port, connections, asks);
    thread::sleep(ROUND);
    let times = crowd.stop();
    Sample { times, elapsed: begun.elapsed() }
}

/// Connections that ask until they are told to stop.
pub struct LoadGenerator {
    is_stopped: Arc<AtomicBool>,
    running: Vec<JoinHandle<Vec<Duration>>>,
}

impl LoadGenerator {
    pub fn start<A: RequestSource>(port: u16, connections: usize, asks: impl Fn(usize) -> A) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let running = (0..connections).map(|number| spawn_client(port, asks(number), Arc::clone(&stop))).collect();
        Self { is_stopped: stop, running }
    }

    /// The times of all answers that were none of "busy".
    pub fn stop(self) -> Vec<Duration> {
        self.is_stopped.store(true, Ordering::Relaxed);
        self.running.into_iter().flat_map(|connection| connection.join().expect("a connection")).collect()
    }
}

fn spawn_client(port: u16, mut next: impl RequestSource, stop: Arc<AtomicBool>) -> JoinHandle<Vec<Duration>> {
    thread::spawn(move || {
        let mut connection = Connection::open(port);
        let (mut times, mut answer) = (Vec::new(), String::new());
        while !stop.load(Ordering::Relaxed) {
            let request = next(&answer);
            let begun = Instant::now();
            answer = connection.exchange(&request);
            if answer.contains("SERVER_BUSY") {
                thread::sleep(BUSY_RETRY_INTERVAL);
            } else {
                times.push(begun.elapsed());
            }
        }
        times
    })
}
