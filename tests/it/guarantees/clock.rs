//! Clock jumps under the built program: no user is unlocked or locked out, and nothing panics.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use sea_orm::DbBackend;
use serde_json::{Value, json};

use crate::support::PASSWORD;
use crate::support::database::{TestDatabase, backend};
use crate::support::prerequisites;
use crate::support::process::{Process, program, status};

/// In Debian's package `faketime`.
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";

/// The path of the library that overrides the time of a program.
fn library() -> Option<PathBuf> {
    let entries = std::fs::read_dir("/usr/lib").ok()?;
    let found = entries.filter_map(|entry| Some(entry.ok()?.path().join(LIBRARY))).find(|path| path.exists());
    if found.is_none() {
        prerequisites::report_skipped("libfaketime is missing", "clock jumps");
    }
    found
}

/// A server's wall clock; the monotonic clock, used for timeouts, is unchanged.
struct WallClock(PathBuf);

impl WallClock {
    fn new(directory: &Path, name: &str) -> Self {
        std::fs::create_dir_all(directory).unwrap();
        let clock = Self(directory.join(name));
        clock.set("+0");
        clock
    }

    /// Sets it, in faketime's format.
    fn set(&self, time: &str) {
        // Renamed, so that the server never reads a partial file.
        let fresh = self.0.with_extension("new");
        std::fs::write(&fresh, time).unwrap();
        std::fs::rename(fresh, &self.0).unwrap();
    }

    fn preload(&self, command: &mut Command, library: &Path) {
        command.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", &self.0);
        command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    }
}

/// `POST /login` from an address; returns the status.
fn login(server: &Process, name: &str, password: &str, address: &str) -> (u16, String) {
    let body = json!({ "username": name, "password": password });
    let answer = server.send("/login", &format!("x-forwarded-for: {address}\r\n"), &body);
    let json: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    (status(&answer), json["access_token"].as_str().unwrap_or_default().to_owned())
}

fn reason(server: &Process, token: &str) -> Value {
    server.graphql(token, "{ me { username } }", json!({}))["errors"][0]["extensions"]["reason"].clone()
}

/// The number of wrong passwords for different names that an address may try before the limit.
fn failed_logins(server: &Process, address: &str, round: usize) -> usize {
    (0..30).take_while(|number| login(server, &format!("g{round}-{number}"), "x", address).0 == 401).count()
}

const JUMPS: [&str; 8] = [
    "+1h",
    "+1d",
    "-2h",
    "-1d",
    "@1970-01-01 00:00:10",
    "@2028-02-29 12:00:00",
    "@2038-01-19 03:14:07",
    "@2106-02-07 06:28:15",
];

/// R13, S18
#[tokio::test]
async fn clock_jump_neither_unlocks_nor_locks_out_users() {
    if backend() != DbBackend::Sqlite {
        return;
    }
    let Some(library) = library() else { return };
    let database = TestDatabase::migrated().await;
    let clock = WallClock::new(&database.directory, "time");
    let mut command = program(&database);
    clock.preload(&mut command, &library);
    command.env("ACCOUNTD_SERVER__TRUSTED_PROXIES", "127.0.0.1/32").env("ACCOUNTD_LOG__FILTER", "error");
    let server = Process::spawn(command).with_database(database);
    for name in ["ann", "bob"] {
        let register = format!(
            "mutation {{ register(input: {{ username: \"{name}\", password: \"{PASSWORD}\" }}) {{ errors {{ code }} }} }}"
        );
        assert_eq!(server.graphql("", &register, json!({}))["data"]["register"]["errors"], json!([]));
    }
    let (_, at_home) = login(&server, "ann", PASSWORD, "192.0.2.1");
    let (_, out) = login(&server, "ann", PASSWORD, "192.0.2.1");
    assert_eq!(server.graphql(&out, "mutation { logout { ok } }", json!({}))["data"]["logout"]["ok"], true);
    assert_eq!(failed_logins(&server, "198.51.100.1", JUMPS.len()), 10);
    let mut made = Vec::new();
    for (round, leap) in JUMPS.iter().enumerate() {
        clock.set(leap);
        assert_eq!((server.get("/healthz"), server.get("/readyz")), (200, 200), "{leap}");
        // No user is locked out: neither one without failures nor one with a failure before the jump.
        let address = format!("203.0.113.{round}");
        let (status, token) = login(&server, "ann", PASSWORD, &address);
        assert_eq!((status, reason(&server, &token)), (200, Value::Null), "{leap}");
        assert_eq!(login(&server, "bob", "x", &address).0, 401, "{leap}");
        assert_eq!(login(&server, "bob", "x", &address).0, 429, "the backoff continues: {leap}");
        made.push((leap, token));
        // No attacker is unlocked: at most one full bucket, whatever the clock says.
        let started = Instant::now();
        let guesses = failed_logins(&server, "198.51.100.1", round);
        // Refilled while a slow machine tries: one every six seconds.
        let refilled = usize::try_from(started.elapsed().as_secs() / 6).unwrap();
        assert!(guesses <= 10 + refilled, "{leap}: {guesses}");
        // Ended sessions stay ended.
        assert_ne!(reason(&server, &out), Value::Null, "{leap}");
        clock.set("+0");
        assert_eq!(reason(&server, &at_home), Value::Null, "back from {leap}");
        assert_eq!(reason(&server, &out), "SESSION_ENDED", "back from {leap}");
    }
    clock.set("+0");
    for (leap, token) in made {
        let expected = match *leap {
            leap if leap.starts_with('-') || leap.starts_with("@1970") => json!("TOKEN_EXPIRED"),
            // It was issued in what is the future now.
            _ => json!("TOKEN_INVALID"),
        };
        assert_eq!(reason(&server, &token), expected, "{leap}");
    }
    let log = server.stop();
    assert!(!log.contains("panicked") && !log.contains("internal error"), "{log}");
}

/// R13: two nodes whose clocks differ by less than the leeway of 5 s accept each other's tokens.
#[tokio::test]
async fn clock_skew_between_nodes_is_tolerated() {
    if backend() != DbBackend::Sqlite {
        return;
    }
    let Some(library) = library() else { return };
    let database = TestDatabase::migrated().await;
    let clocks = ["left", "right"].map(|name| WallClock::new(&database.directory, name));
    let commands = clocks.each_ref().map(|clock| {
        let mut command = program(&database);
        clock.preload(&mut command, &library);
        command.env("ACCOUNTD_LOG__FILTER", "off");
        command
    });
    clocks[1].set("+4");
    let [left, right] = commands.map(Process::spawn);
    let servers = [left.with_database(database), right];
    assert_eq!(servers[0].get("/readyz"), 200);
    let register = format!(
        "mutation {{ register(input: {{ username: \"ann\", password: \"{PASSWORD}\" }}) {{ errors {{ code }} }} }}"
    );
    assert_eq!(servers[0].graphql("", &register, json!({}))["data"]["register"]["errors"], json!([]));
    for (here, there) in [(0, 1), (1, 0)] {
        let (_, token) = login(&servers[here], "ann", PASSWORD, "192.0.2.1");
        assert_eq!(reason(&servers[there], &token), Value::Null, "from {here} to {there}");
    }
    // Not killed: faketime cleans up at the end of the program.
    for server in servers.into_iter().rev() {
        server.stop();
    }
}
