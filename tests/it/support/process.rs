//! The built program, started on a port and on a database of its own, and ended with the test.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::database::TestDatabase;

/// A started server, ended and read when it is asked to.
pub struct Process {
    child: Child,
    pub port: u16,
    _database: TestDatabase,
}

impl Process {
    /// Starts the program on a migrated database with these environment variables; the first request waits until it
    /// listens.
    pub fn start(database: TestDatabase, settings: &[(&str, &str)]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(env!("CARGO_BIN_EXE_accountd"))
            .args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--data-dir"])
            .arg(&database.directory)
            .envs(database.settings())
            .envs(settings.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self { child, port, _database: database }
    }

    /// Sends one request; before the first answer it waits for at most ten seconds until somebody listens.
    pub fn send(&self, path: &str, headers: &str, body: &Value) -> String {
        let body = body.to_string();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n{headers}\r\n{body}",
            body.len()
        );
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            assert!(Instant::now() < deadline, "the server does not listen");
            let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else {
                std::thread::yield_now();
                continue;
            };
            let mut answer = String::new();
            stream.write_all(request.as_bytes()).unwrap();
            stream.read_to_string(&mut answer).unwrap();
            return answer;
        }
    }

    /// The JSON that GraphQL answers with.
    pub fn graphql(&self, token: &str, query: &str, variables: Value) -> Value {
        let authorization = if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
        let answer = self.send("/graphql", &authorization, &json!({ "query": query, "variables": variables }));
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    /// Memory that the process has in use, in KiB.
    pub fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// Ends the server and gives everything that it wrote.
    pub fn stop(mut self) -> String {
        let told = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(told.success());
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        assert!(self.child.wait().unwrap().success(), "SIGTERM ends the server with 0");
        log
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
