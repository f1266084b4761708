//! Hashing stands back: what `me` keeps of its throughput while others log in without pause, and what logins alone
//! reach of what the processors can hash. Both sides run on this machine, so only the ratios mean something.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a bench stops at the first surprise")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

const READERS: usize = 8;
const LOGINS: usize = 16;
const ROUND: Duration = Duration::from_secs(4);
const ROUNDS: usize = 3;
const PASSWORD: &str = "correct-horse-battery-7";

fn main() {
    let directory = std::env::temp_dir().join(format!("accountd-bench-load-{}", std::process::id()));
    let port = TcpListener::bind("127.0.0.1:0").and_then(|any| any.local_addr()).expect("a port").port();
    let mut server = serve(&directory, port);
    let token = register(port);
    let me = request(&token, r#"{"query":"{ me { id username } }"}"#);
    let login = request(
        "",
        &format!(
            r#"{{"query":"mutation {{ login(input: {{ username: \"ann\", password: \"{PASSWORD}\" }}) {{ errors {{ code }} }} }}"}}"#
        ),
    );

    let hash = one_hash();
    let (mut kept, mut slow, mut reached) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let alone = run(port, &me, READERS);
        let stop = Arc::new(AtomicBool::new(false));
        let crowd: Vec<_> = (0..LOGINS).map(|_| load(port, &login, &stop)).collect();
        let crowded = run(port, &me, READERS);
        stop.store(true, Ordering::Relaxed);
        for connection in crowd {
            connection.join().expect("a login connection");
        }
        kept.push(crowded.rate() / alone.rate());
        slow.push(crowded.p99().as_secs_f64() * 1_000.0);
        // As many at a time as the pool lets in without turning anybody away.
        let cores = thread::available_parallelism().expect("processors").get();
        let logins = run(port, &login, cores * 4);
        reached.push(logins.rate() * hash.as_secs_f64() / cores as f64);
    }
    Command::new("kill").arg(server.id().to_string()).status().expect("kill runs");
    server.wait().expect("an exit");
    std::fs::remove_dir_all(directory).expect("the directory goes");
    println!("medians of {ROUNDS} rounds of {} s; one hash {:.1} ms", ROUND.as_secs(), hash.as_secs_f64() * 1_000.0);
    println!(
        "me beside {LOGINS} connections that log in keeps {:.0} % of its throughput (wanted: 80)",
        median(&mut kept) * 100.0
    );
    println!("its 99th percentile then is {:.1} ms (wanted: 20)", median(&mut slow));
    println!("logins alone reach {:.0} % of what the processors can hash (wanted: 95)", median(&mut reached) * 100.0);
}

/// What a few connections got in one round.
struct Sample {
    times: Vec<Duration>,
    took: Duration,
}

impl Sample {
    fn rate(&self) -> f64 {
        self.times.len() as f64 / self.took.as_secs_f64()
    }

    fn p99(&self) -> Duration {
        let mut times = self.times.clone();
        times.sort();
        times[times.len() * 99 / 100]
    }
}

fn run(port: u16, request: &str, connections: usize) -> Sample {
    let stop = Arc::new(AtomicBool::new(false));
    let begun = Instant::now();
    let running: Vec<_> = (0..connections).map(|_| load(port, request, &stop)).collect();
    thread::sleep(ROUND);
    stop.store(true, Ordering::Relaxed);
    let times = running.into_iter().flat_map(|connection| connection.join().expect("a connection")).collect();
    Sample { times, took: begun.elapsed() }
}

/// Sends the request again and again on one connection; the times of the answers that were none of "busy".
fn load(port: u16, request: &str, stop: &Arc<AtomicBool>) -> JoinHandle<Vec<Duration>> {
    let (request, stop) = (request.to_owned(), Arc::clone(stop));
    thread::spawn(move || {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        let mut times = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let begun = Instant::now();
            let answer = exchange(&mut stream, &request);
            if answer.contains("SERVER_BUSY") {
                thread::sleep(Duration::from_millis(20));
            } else {
                times.push(begun.elapsed());
            }
        }
        times
    })
}

/// One request and its answer, whose length stands in its head.
fn exchange(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).expect("a request");
    let (mut answer, mut buffer) = (Vec::new(), [0; 8_192]);
    loop {
        let count = stream.read(&mut buffer).expect("an answer");
        assert!(count > 0, "the server closed the connection: {}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&answer);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(usize::MAX) {
                return text.into_owned();
            }
        }
    }
}

fn request(token: &str, body: &str) -> String {
    let authorization = if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
    format!(
        "POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{authorization}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn serve(directory: &std::path::Path, port: u16) -> Child {
    Command::new(env!("CARGO_BIN_EXE_accountd"))
        .args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--data-dir"])
        .arg(directory)
        .env("ACCOUNTD_LIMITS__ENABLED", "false")
        .env("ACCOUNTD_LOG__FILTER", "warn")
        .stderr(Stdio::null())
        .spawn()
        .expect("the server starts")
}

fn register(port: u16) -> String {
    let body = format!(
        r#"{{"query":"mutation {{ register(input: {{ username: \"ann\", password: \"{PASSWORD}\" }}) {{ tokens {{ accessToken }} }} }}"}}"#
    );
    let deadline = Instant::now() + Duration::from_secs(10);
    let mut stream = loop {
        assert!(Instant::now() < deadline, "the server does not listen");
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => break stream,
            Err(_) => thread::sleep(Duration::from_millis(5)),
        }
    };
    let answer = exchange(&mut stream, &request("", &body));
    let (_, rest) = answer.split_once("\"accessToken\":\"").expect("a token");
    rest.split('"').next().expect("a token").to_owned()
}

/// The time of one hash at the default cost, on a thread that has nothing else to do.
fn one_hash() -> Duration {
    let argon2 = argon2::Argon2::default();
    let (mut memory, mut output) = (vec![argon2::Block::new(); argon2.params().block_count()], [0; 32]);
    let mut times: Vec<Duration> = (0..30)
        .map(|_| {
            let begun = Instant::now();
            argon2
                .hash_password_into_with_memory(b"x", b"some salt or other", &mut output, &mut memory)
                .expect("a hash");
            begun.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
