//! The built program, started on its own port and database, and ended with the test.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Instant;

use serde_json::{Value, json};

use super::TEST_TIMEOUT;
use super::database::TestDatabase;

/// The program with the settings for this database.
pub fn program(database: &TestDatabase) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_accountd"));
    command.env("ACCOUNTD_DATA_DIR", &database.directory).envs(database.settings());
    command
}

/// An unused port below the ephemeral range, from which the system serves others until the server binds it. Each test
/// process has a hundred ports of its own, and returns none twice until all were used.
pub fn free_port() -> u16 {
    static COUNT: AtomicU16 = AtomicU16::new(0);
    let first = 10_000 + u16::try_from(std::process::id() % 220).unwrap() * 100;
    (0..300)
        .map(|_| first + COUNT.fetch_add(1, Ordering::Relaxed) % 100)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("one of 100 ports is unused")
}

/// A started server process, whose log can be read at its end.
pub struct Process {
    child: Child,
    pub port: u16,
    /// `None` for the second server on a database.
    database: Option<TestDatabase>,
}

impl Process {
    /// Starts the program on a migrated database with these environment variables; the first request waits until it
    /// listens.
    pub fn start(database: TestDatabase, settings: &[(&str, &str)]) -> Self {
        let mut command = program(&database);
        command.envs(settings.iter().copied());
        Self::spawn(command).with_database(database)
    }

    /// Starts this command, which may wrap the program; the caller keeps the database.
    pub fn spawn(mut command: Command) -> Self {
        let port = free_port();
        let listen = format!("127.0.0.1:{port}");
        let child = command.args(["serve", "--listen", &listen]).stderr(Stdio::piped()).spawn().unwrap();
        Self { child, port, database: None }
    }

    /// Starts a second server on the same database.
    pub fn second_node(&self, settings: &[(&str, &str)]) -> Self {
        let mut command = program(self.database.as_ref().unwrap());
        command.envs(settings.iter().copied());
        Self::spawn(command)
    }

    /// Passes it the database that it runs on.
    pub fn with_database(mut self, database: TestDatabase) -> Self {
        self.database = Some(database);
        self
    }

    /// Sends one request; before the first response it waits until the server listens.
    pub fn send(&self, path: &str, headers: &str, body: &Value) -> String {
        self.try_send(path, headers, body).expect("incomplete response")
    }

    /// The same, for servers that may end before their response.
    pub fn try_send(&self, path: &str, headers: &str, body: &Value) -> std::io::Result<String> {
        let mut answer = String::new();
        self.start_request(path, headers, body).read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// Sends one request and leaves the response on the connection.
    pub fn start_request(&self, path: &str, headers: &str, body: &Value) -> TcpStream {
        let body = body.to_string();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n{headers}\r\n{body}",
            body.len()
        );
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).ok();
        stream
    }

    /// A new connection, as soon as the server listens.
    pub fn connect(&self) -> TcpStream {
        let deadline = Instant::now() + TEST_TIMEOUT;
        loop {
            assert!(Instant::now() < deadline, "the server does not listen");
            match TcpStream::connect(("127.0.0.1", self.port)) {
                Ok(stream) => return stream,
                Err(_) => std::thread::yield_now(),
            }
        }
    }

    /// The JSON of a GraphQL response.
    pub fn graphql(&self, token: &str, query: &str, variables: Value) -> Value {
        let authorization = if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
        let answer = self.send("/graphql", &authorization, &json!({ "query": query, "variables": variables }));
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    /// The status of `GET path`.
    pub fn get(&self, path: &str) -> u16 {
        let mut stream = self.connect();
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        let mut answer = String::new();
        stream.write_all(request.as_bytes()).unwrap();
        stream.read_to_string(&mut answer).unwrap();
        status(&answer)
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The database and the secret of the server.
    pub fn database(&self) -> &TestDatabase {
        self.database.as_ref().unwrap()
    }

    /// Resident memory of the process, in KiB.
    pub fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// Ends the server and returns its log.
    pub fn stop(self) -> String {
        self.stop_keeping_database().0
    }

    /// The same, and keeps its database.
    pub fn stop_keeping_database(mut self) -> (String, Option<TestDatabase>) {
        let killed = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(killed.success());
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        assert!(self.child.wait().unwrap().success(), "SIGTERM ends the server with 0");
        (log, self.database.take())
    }

    /// Kills the server at once, like a power cut: it runs nothing more.
    pub fn kill(mut self) -> TestDatabase {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.database.take().unwrap()
    }
}

/// The status of a response.
pub fn status(answer: &str) -> u16 {
    answer.get(9..12).and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("no response: {answer:?}"))
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
