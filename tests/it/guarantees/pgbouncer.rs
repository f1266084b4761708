//! PgBouncer between the server and PostgreSQL: working modes, and clear refusals.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use sea_orm::DbBackend;
use serde_json::json;
use tempfile::TempDir;

use crate::support::database::{TestDatabase, backend};
use crate::support::process::{Process, free_port, program};
use crate::support::{PASSWORD, TEST_TIMEOUT, prerequisites};

/// A PgBouncer of the test's own, ended on drop.
struct PgBouncer {
    child: Child,
    port: u16,
    _home: TempDir,
}

impl PgBouncer {
    /// In front of the server of this database; `None` where the tests of this run are not on PostgreSQL, or PgBouncer
    /// is not installed.
    fn start(database: &TestDatabase, settings: &str) -> Option<Self> {
        let url = url(database);
        let server = url.split('@').nth(1).unwrap().split('/').next().unwrap();
        let (host, port) = server.split_once(':').unwrap();
        // Readable for the user that PgBouncer runs as.
        let readable = Permissions::from_mode(0o755);
        let (home, own) = (tempfile::Builder::new().permissions(readable).tempdir().unwrap(), free_port());
        let file = home.path().join("pgbouncer.ini");
        let text = format!(
            "[databases]\n* = host={host} port={port} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {own}\nunix_socket_dir =\nauth_type = any\ndefault_pool_size = 20\n{settings}\n"
        );
        std::fs::write(&file, text).unwrap();
        // It refuses to run as root.
        let is_root = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap()) == 0;
        let mut command = if is_root { Command::new("runuser") } else { Command::new("pgbouncer") };
        if is_root {
            command.args(["-u", "postgres", "--", "pgbouncer"]);
        }
        let child = command.arg("-q").arg(&file).current_dir("/").stderr(Stdio::null()).stdout(Stdio::null()).spawn();
        let pooler = Self { child: child.unwrap(), port: own, _home: home };
        let deadline = Instant::now() + TEST_TIMEOUT;
        while std::net::TcpStream::connect(("127.0.0.1", own)).is_err() {
            assert!(Instant::now() < deadline, "PgBouncer does not listen");
            std::thread::yield_now();
        }
        Some(pooler)
    }

    fn url(&self, database: &TestDatabase) -> String {
        let url = url(database);
        let name = url.rsplit('/').next().unwrap();
        format!("postgres://postgres@127.0.0.1:{}/{name}", self.port)
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        // `runuser` forwards this signal; it would not forward a kill.
        Command::new("kill").arg(self.child.id().to_string()).status().ok();
        self.child.wait().ok();
    }
}

fn url(database: &TestDatabase) -> String {
    let settings = database.settings();
    settings.into_iter().find(|(name, _)| name == "ACCOUNTD_DATABASE_URL").unwrap().1
}

/// Its version, where installed; reports a skip otherwise.
fn version() -> Option<(u32, u32)> {
    if backend() != DbBackend::Postgres {
        return None;
    }
    let Ok(output) = Command::new("pgbouncer").arg("--version").output() else {
        prerequisites::report_skipped("pgbouncer is not installed", "PgBouncer in front of PostgreSQL");
        return None;
    };
    let text = String::from_utf8(output.stdout).unwrap();
    let number = text.split_whitespace().nth(1).unwrap();
    let mut parts = number.split('.').map(|part| part.parse().unwrap());
    Some((parts.next().unwrap(), parts.next().unwrap()))
}

/// A user's typical requests.
fn is_served(server: &Process) {
    let credentials = json!({ "u": "ann", "p": PASSWORD });
    let register = "mutation ($u: String!, $p: String!) { register(input: { username: $u, password: $p }) {
        tokens { accessToken refreshToken } errors { code } } }";
    let made = server.graphql("", register, credentials);
    let tokens = &made["data"]["register"]["tokens"];
    let access = tokens["accessToken"].as_str().unwrap_or_else(|| panic!("{made}"));
    for _ in 0..20 {
        let users = server.graphql(access, "{ me { username roles sessions(first: 5) { nodes { id } } } }", json!({}));
        assert_eq!(users["data"]["me"]["username"], "ann", "{users}");
    }
    let refresh = "mutation ($t: String!) { refresh(input: { refreshToken: $t }) { outcome } }";
    let renewed = server.graphql("", refresh, json!({ "t": tokens["refreshToken"] }));
    assert_eq!(renewed["data"]["refresh"]["outcome"], "ROTATED", "{renewed}");
    let out = server.graphql(access, "mutation { logout { ok } }", json!({}));
    assert_eq!(out["data"]["logout"]["ok"], true, "{out}");
}

/// Each connection has one of the server's own: everything works, including notifications of other nodes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pgbouncer_session_mode_works() {
    if version().is_none() {
        return;
    }
    let database = TestDatabase::migrated().await;
    let pooler = PgBouncer::start(&database, "pool_mode = session").unwrap();
    let url = pooler.url(&database);
    let server = Process::start(database, &[("ACCOUNTD_DATABASE_URL", &url), ("ACCOUNTD_LIMITS__ENABLED", "false")]);
    tokio::task::block_in_place(|| is_served(&server));
    let log = tokio::task::block_in_place(|| server.stop());
    assert!(!log.contains("WARN"), "{log}");
    assert!(log.contains("stopped"), "{log}");
}

/// Prepared statements that are lost with the next transaction: every command refuses to start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pgbouncer_without_prepared_statements_refuses_to_start() {
    let Some(version) = version() else { return };
    let database = TestDatabase::migrated().await;
    let none = if version >= (1, 21) { "max_prepared_statements = 0" } else { "" };
    let pooler = PgBouncer::start(&database, &format!("pool_mode = transaction\n{none}")).unwrap();
    let url = pooler.url(&database);
    for command in [&["migrate"][..], &["serve", "--listen", "127.0.0.1:0"], &["admin", "end-all-sessions"]] {
        let mut program = program(&database);
        program.args(command).env("ACCOUNTD_DATABASE_URL", &url);
        let output = tokio::task::block_in_place(|| program.output().unwrap());
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{command:?}: {stderr}");
        assert!(stderr.contains("pool_mode = session") && stderr.contains("docs/nodes.md"), "{command:?}: {stderr}");
    }
}

/// Newer ones keep them: the server works, and warns of what does not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pgbouncer_transaction_mode_with_prepared_statements_warns() {
    match version() {
        None => return,
        Some(version) if version < (1, 21) => {
            prerequisites::report_skipped(
                "this pgbouncer is older than 1.21",
                "PgBouncer in transaction mode with prepared statements",
            );
            return;
        }
        Some(_) => {}
    }
    let database = TestDatabase::migrated().await;
    let pooler = PgBouncer::start(&database, "pool_mode = transaction\nmax_prepared_statements = 200").unwrap();
    let url = pooler.url(&database);
    let server = Process::start(database, &[("ACCOUNTD_DATABASE_URL", &url), ("ACCOUNTD_LIMITS__ENABLED", "false")]);
    tokio::task::block_in_place(|| is_served(&server));
    let log = tokio::task::block_in_place(|| server.stop());
    assert!(log.contains("transaction pooling"), "{log}");
}
