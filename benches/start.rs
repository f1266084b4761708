//! How soon a started server answers and what it rests on: the first login on an empty directory, ready on an existing
//! database, memory.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a bench stops at the first surprise")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 7;

fn main() {
    let mut first_login = Vec::new();
    let mut ready = Vec::new();
    let mut resting = Vec::new();
    let mut after_login = Vec::new();
    for round in 0..ROUNDS {
        let directory = std::env::temp_dir().join(format!("accountd-bench-start-{}-{round}", std::process::id()));
        let port = free_port();
        let begun = Instant::now();
        let mut server = serve(&directory, port);
        let login =
            r#"{"query":"mutation { login(input: { username: \"nobody\", password: \"x\" }) { errors { code } } }"}"#;
        let answer = until_answered(port, &post("/graphql", login));
        first_login.push(begun.elapsed());
        assert!(answer.contains("INVALID_CREDENTIALS"), "{answer}");
        after_login.push(resident(&server));
        stop(&mut server);

        let begun = Instant::now();
        let mut server = serve(&directory, port);
        let answer = until_answered(port, "GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        ready.push(begun.elapsed());
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        resting.push(resident(&server));
        stop(&mut server);
        std::fs::remove_dir_all(directory).expect("the directory goes");
    }
    let seconds = |times: &mut Vec<Duration>| {
        times.sort();
        times[times.len() / 2].as_secs_f64()
    };
    let mebibytes = |sizes: &mut Vec<u64>| {
        sizes.sort_unstable();
        sizes[sizes.len() / 2] as f64 / 1_024.0
    };
    println!("median of {ROUNDS} rounds");
    println!("first login on an empty directory: {:.3} s (wanted: below 2)", seconds(&mut first_login));
    println!("ready on an existing database:     {:.3} s (wanted: below 0.2)", seconds(&mut ready));
    println!("resident at rest:                  {:.1} MiB (wanted: below 30)", mebibytes(&mut resting));
    println!("resident after a login:            {:.1} MiB", mebibytes(&mut after_login));
}

fn serve(directory: &Path, port: u16) -> Child {
    Command::new(env!("CARGO_BIN_EXE_accountd"))
        .args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--data-dir"])
        .arg(directory)
        .stderr(Stdio::null())
        .spawn()
        .expect("the server starts")
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

fn post(path: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    )
}

/// Sends the request until somebody listens, for at most ten seconds.
fn until_answered(port: u16, request: &str) -> String {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        assert!(Instant::now() < deadline, "no answer within ten seconds");
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
            std::thread::sleep(Duration::from_millis(1));
            continue;
        };
        let mut answer = String::new();
        stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_string(&mut answer).map(drop)).ok();
        if !answer.is_empty() {
            return answer;
        }
    }
}

/// Resident memory in KiB.
fn resident(server: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).expect("a status");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a size");
    line.split_whitespace().nth(1).and_then(|size| size.parse().ok()).expect("a number")
}

fn stop(server: &mut Child) {
    let told = Command::new("kill").arg(server.id().to_string()).status().expect("kill runs");
    assert!(told.success() && server.wait().expect("an exit").success(), "SIGTERM ends the server with 0");
}
