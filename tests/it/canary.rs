//! The log of a started server at its most talkative: no secret is in it, and every line stays one.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::support::database::TestDatabase;

const PASSWORD: &str = "canary-in-a-coal-mine-4711";
const NEW_PASSWORD: &str = "phoenix-from-its-ashes-1174";
const ADDRESS: &str = "canary.bird@example.org";

/// A started server, ended and read when it is asked to.
struct Server {
    process: Child,
    port: u16,
    _database: TestDatabase,
}

impl Server {
    fn start(database: TestDatabase) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new(env!("CARGO_BIN_EXE_accountd"))
            .args(["serve", "--listen", &format!("127.0.0.1:{port}"), "--data-dir"])
            .arg(&database.directory)
            .envs(database.settings())
            .env("ACCOUNTD_LOG__FILTER", "trace")
            .env("ACCOUNTD_LOG__FORMAT", "json")
            .env("ACCOUNTD_LIMITS__ENABLED", "false")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self { process, port, _database: database }
    }

    /// Sends one request; before the first answer it waits for at most ten seconds until somebody listens.
    fn send(&self, path: &str, headers: &str, body: &Value) -> String {
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

    fn graphql(&self, token: &str, query: &str, variables: Value) -> Value {
        let authorization = if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
        let answer = self.send("/graphql", &authorization, &json!({ "query": query, "variables": variables }));
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    /// Ends the server and gives everything that it wrote.
    fn stop(mut self) -> String {
        let told = Command::new("kill").arg(self.process.id().to_string()).status().unwrap();
        assert!(told.success());
        let mut log = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        assert!(self.process.wait().unwrap().success(), "SIGTERM ends the server with 0");
        log
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// The ways in which a careless line could hold a secret.
fn disguises(secret: &str) -> Vec<String> {
    let hex = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    vec![secret.to_owned(), STANDARD.encode(secret), URL_SAFE_NO_PAD.encode(secret), hex, secret.replace('@', "%40")]
}

/// Q8, Q9
#[tokio::test]
async fn keeps_secrets_and_foreign_lines_out_of_the_log() {
    let server = Server::start(TestDatabase::migrated().await);
    let pair = "user { id email } tokens { accessToken refreshToken } errors { code }";
    let register = format!(
        "mutation R($a: String!, $p: String!) {{ register(input: {{ username: \"bird\", email: $a, password: $p }}) {{ {pair} }} }}"
    );
    let first = server.graphql("", &register, json!({ "a": ADDRESS, "p": PASSWORD }))["data"]["register"].clone();
    let login = format!(
        "mutation L($p: String!) {{ login(input: {{ username: \"bird\", password: $p }}) {{ deviceToken {pair} }} }}"
    );
    let second = server.graphql("", &login, json!({ "p": PASSWORD }))["data"]["login"].clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (access, renew) = (text(&first["tokens"]["accessToken"]), text(&first["tokens"]["refreshToken"]));
    let refresh = format!("mutation F($t: String!) {{ refresh(input: {{ refreshToken: $t }}) {{ {pair} }} }}");
    let third = server.graphql(&access, &refresh, json!({ "t": renew }))["data"]["refresh"].clone();
    let change = format!(
        "mutation P($p: String!, $n: String!) {{ updatePassword(input: {{ currentPassword: $p, newPassword: $n }}) {{ {pair} }} }}"
    );
    let fourth =
        server.graphql(&access, &change, json!({ "p": PASSWORD, "n": NEW_PASSWORD }))["data"]["updatePassword"].clone();
    let rest = server.send("/login", "", &json!({ "username": "bird", "password": NEW_PASSWORD }));
    assert!(rest.contains("Login successful"), "{rest}");
    // A password in the wrong place, or in a request that is wrong in itself, is a secret all the same.
    server.graphql("", &login.replace("\"bird\"", &format!("\"{NEW_PASSWORD}\"")), json!({ "p": "x" }));
    server.graphql("", &format!("{{ me {{ {PASSWORD} }} }}"), json!({}));
    let make = "mutation { createApiToken(input: { name: \"nest\", permissions: [] }) { token } }";
    let access = text(&fourth["tokens"]["accessToken"]);
    let program = text(&server.graphql(&access, make, json!({}))["data"]["createApiToken"]["token"]);
    assert_eq!(server.graphql(&program, "{ me { username } }", json!({}))["data"]["me"]["username"], "bird");
    server.graphql(&access, "mutation { logout { ok } }", json!({}));
    let injected = "user-agent: x\\r\\n{\"level\":\"INFO\"}\u{1b}[2J\r\n";
    server.send("/nowhere/canary", injected, &json!({ "username": "a\r\n{\"level\":\"FORGED\"}\u{1b}[2J" }));
    let log = server.stop();

    assert!(log.lines().count() > 10, "the log is at its most talkative: {log}");
    for line in log.lines() {
        let parsed: Result<Value, _> = serde_json::from_str(line);
        assert!(parsed.is_ok_and(|line| line["level"] != "FORGED"), "not one JSON object: {line}");
    }
    assert!(!log.contains('\u{1b}'), "a raw escape character");
    let tokens = [&first, &second, &third, &fourth]
        .into_iter()
        .flat_map(|payload| [&payload["tokens"]["accessToken"], &payload["tokens"]["refreshToken"]])
        .chain([&second["deviceToken"]])
        .map(text)
        .chain([program.rsplit('.').next().unwrap().to_owned()]);
    for secret in tokens.chain([PASSWORD, NEW_PASSWORD, ADDRESS].map(str::to_owned)) {
        for disguise in disguises(&secret) {
            let line = log.lines().find(|line| line.contains(&disguise));
            assert!(line.is_none(), "{secret} is in the log: {line:?}");
        }
    }
}
