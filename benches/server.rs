//! The servers under load, each a process of its own: accountd and the baseline.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::PASSWORD;
use crate::load::{Connection, graphql};

/// Environment variable with the port of the baseline server, which makes this program run it.
const BASELINE_PORT: &str = "ACCOUNTD_BENCH_BARE";

/// The accountd of this build.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_accountd");

/// A directory that is removed on drop.
pub struct TempDirectory(TempDir);

impl TempDirectory {
    /// Creates an empty directory.
    pub fn new() -> Self {
        Self(tempdir().expect("a directory"))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The path of the embedded database.
    pub fn database(&self) -> PathBuf {
        self.0.path().join("accountd.db")
    }
}

/// A running server, stopped on drop.
pub struct Server {
    process: Child,
    /// The local port it listens on.
    pub port: u16,
}

impl Server {
    /// Starts accountd on this directory, without limits.
    pub fn start(directory: &TempDirectory) -> Self {
        Self::start_with(directory, &[("ACCOUNTD_LIMITS__ENABLED", "false")])
    }

    /// Starts accountd on this directory with these settings.
    pub fn start_with(directory: &TempDirectory, settings: &[(&str, &str)]) -> Self {
        Self::start_program(PROGRAM, directory, settings)
    }

    /// Starts any accountd binary, such as one of another commit.
    pub fn start_program(program: &str, directory: &TempDirectory, settings: &[(&str, &str)]) -> Self {
        let server = Self::spawn(program, directory, settings);
        server.wait_until_listening();
        server
    }

    /// Starts accountd and does not wait until it listens.
    pub fn spawn_unready(directory: &TempDirectory, settings: &[(&str, &str)]) -> Self {
        Self::spawn(PROGRAM, directory, settings)
    }

    fn spawn(program: &str, directory: &TempDirectory, settings: &[(&str, &str)]) -> Self {
        let port = free_port();
        let process = Command::new(program)
            .args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--data-dir"])
            .arg(directory.path())
            .env("ACCOUNTD_LOG__FILTER", "warn")
            .envs(settings.iter().copied())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        Self { process, port }
    }

    /// Starts the baseline server.
    pub fn baseline() -> Self {
        let port = free_port();
        let this = std::env::current_exe().expect("this program");
        let process =
            Command::new(this).env(BASELINE_PORT, port.to_string()).spawn().expect("the baseline server starts");
        let server = Self { process, port };
        server.wait_until_listening();
        server
    }

    fn wait_until_listening(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < deadline, "the server does not listen");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// The data of a response without errors.
    pub fn query(&self, token: &str, query: &str, variables: &Value) -> Value {
        let text = Connection::open(self.port).exchange(&graphql(token, query, variables));
        let response: Value = serde_json::from_str(&text).expect("JSON");
        assert!(response.get("errors").is_none(), "{response}");
        response["data"].clone()
    }

    /// Registers an account; returns its access and refresh token.
    pub fn register(&self, name: &str) -> (String, String) {
        self.tokens_of("register", name)
    }

    /// Logs in; returns the access and refresh token.
    pub fn login(&self, name: &str) -> (String, String) {
        self.tokens_of("login", name)
    }

    fn tokens_of(&self, field: &str, name: &str) -> (String, String) {
        let query = format!(
            "mutation ($n: String!, $p: String!) {{
                {field}(input: {{ username: $n, password: $p }}) {{ tokens {{ accessToken refreshToken }} }} }}"
        );
        let response = self.query("", &query, &json!({ "n": name, "p": PASSWORD }));
        let token = |kind: &str| response[field]["tokens"][kind].as_str().expect("a token").to_owned();
        (token("accessToken"), token("refreshToken"))
    }

    /// Resident memory in MiB.
    pub fn resident_mib(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("a status");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a size");
        let kibibytes: f64 = line.split_whitespace().nth(1).and_then(|size| size.parse().ok()).expect("a number");
        kibibytes / 1_024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        Command::new("kill").arg(self.process.id().to_string()).status().expect("kill runs");
        self.process.wait().expect("an exit");
    }
}

/// Creates an administrator in the directory's database.
pub fn create_admin(program: &str, directory: &TempDirectory, name: &str) {
    use std::io::Write;
    let mut process = Command::new(program)
        .args(["admin", "create", name, "--password-stdin", "--data-dir"])
        .arg(directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the command starts");
    process.stdin.take().expect("a pipe").write_all(PASSWORD.as_bytes()).expect("a password");
    assert!(process.wait().expect("an exit").success());
}

/// Migrates the database of these settings to the version of this accountd.
pub fn migrate(program: &str, directory: &TempDirectory, settings: &[(&str, &str)]) {
    let status = Command::new(program)
        .args(["migrate", "--data-dir"])
        .arg(directory.path())
        .envs(settings.iter().copied())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("the command starts");
    assert!(status.success());
}

/// The port of the baseline server, if this process is to run it.
pub fn baseline_port() -> Option<u16> {
    env_var(BASELINE_PORT).and_then(|port| port.parse().ok())
}

/// An environment variable.
#[expect(clippy::disallowed_methods, reason = "a bench is not the program, whose settings come through `config`")]
pub fn env_var(name: &str) -> Option<String> {
    std::env::vars().find(|(found, _)| found == name).map(|(_, value)| value)
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}
