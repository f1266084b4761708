//! The log at its most verbose level: no secret is in it, and every record is one line.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::support::database::TestDatabase;
use crate::support::process::Process;

const PASSWORD: &str = "canary-in-a-coal-mine-4711";
const NEW_PASSWORD: &str = "phoenix-from-its-ashes-1174";
const ADDRESS: &str = "canary.bird@example.org";

/// Encodings in which a careless log line could hold a secret.
pub fn encodings(secret: &str) -> Vec<String> {
    let hex = hex::encode(secret);
    vec![secret.to_owned(), STANDARD.encode(secret), URL_SAFE_NO_PAD.encode(secret), hex, secret.replace('@', "%40")]
}

/// Q8, Q9
#[tokio::test]
async fn log_contains_no_secret_and_no_injected_line() {
    let server = Process::start(
        TestDatabase::migrated().await,
        &[("ACCOUNTD_LOG__FILTER", "trace"), ("ACCOUNTD_LOG__FORMAT", "json"), ("ACCOUNTD_LIMITS__ENABLED", "false")],
    );
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
    // A password in the wrong field, or in an invalid request, is a secret all the same.
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

    assert!(log.lines().count() > 10, "the log is at its most verbose: {log}");
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
        for disguise in encodings(&secret) {
            let line = log.lines().find(|line| line.contains(&disguise));
            assert!(line.is_none(), "{secret} is in the log: {line:?}");
        }
    }
}
