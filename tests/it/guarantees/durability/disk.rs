//! A full, failing or missing disk: no unstored write is acknowledged, and the server recovers by itself.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};

use sea_orm::DbBackend;
use serde_json::{Value, json};

use crate::support::PASSWORD;
use crate::support::database::{TestDatabase, backend};
use crate::support::prerequisites;
use crate::support::process::{Process, program, status};

/// Injected faults of the server's system calls, until dropped.
struct Fault {
    tracer: Child,
    /// Its output must be read, or it ends.
    _told: BufReader<ChildStderr>,
}

impl Fault {
    /// Makes system calls fail by `rule`, in strace's syntax; `None` where the machine does not allow it.
    fn inject(server: &Process, rule: &str) -> Option<Self> {
        let (calls, _) = rule.split_once(':').unwrap();
        let mut tracer = Command::new("strace");
        tracer.args(["-f", "-o", "/dev/null", "-p", &server.id().to_string()]);
        tracer.args(["-e", &format!("trace={calls}"), "-e", &format!("inject={rule}")]);
        let mut tracer = tracer.stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(tracer.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        let fault = Self { tracer, _told: stderr };
        if line.contains(" attached") {
            return Some(fault);
        }
        prerequisites::report_skipped("strace may not attach to other processes", rule);
        None
    }

    /// Removes the fault.
    fn end(mut self) {
        Command::new("kill").arg(self.tracer.id().to_string()).status().unwrap();
        self.tracer.wait().unwrap();
    }
}

impl Drop for Fault {
    fn drop(&mut self) {
        self.tracer.kill().ok();
        self.tracer.wait().ok();
    }
}

const NEWER: &str = "accept: application/graphql-response+json\r\n";

/// The status and the code of the first error of a GraphQL request.
fn graphql_request(server: &Process, token: &str, query: &str) -> (u16, Value) {
    let authorization = if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
    let answer = server.send("/graphql", &format!("{NEWER}{authorization}"), &json!({ "query": query }));
    let json: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    (status(&answer), json["errors"][0]["extensions"]["code"].clone())
}

fn register_status(server: &Process) -> (String, String) {
    let register = "mutation ($p: String!) { register(input: { username: \"ann\", password: $p }) {
        tokens { accessToken refreshToken } } }";
    let made = server.graphql("", register, json!({ "p": PASSWORD }));
    let tokens = &made["data"]["register"]["tokens"];
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    (text(&tokens["accessToken"]), text(&tokens["refreshToken"]))
}

const ME: &str = "{ me { username } }";
const LOGOUT: &str = "mutation { logout { ok } }";

/// No write is acknowledged while `rule` holds; reads continue, and afterwards everything works.
async fn assert_survives(rule: &str) {
    if backend() != DbBackend::Sqlite || !prerequisites::is_installed("strace", rule) {
        return;
    }
    let server = Process::start(TestDatabase::migrated().await, &[("ACCOUNTD_LOG__FILTER", "off")]);
    let (access, refresh) = register_status(&server);
    let unavailable = (503, json!("STORAGE_UNAVAILABLE"));
    let Some(fault) = Fault::inject(&server, rule) else { return };
    let login =
        format!("mutation {{ login(input: {{ username: \"ann\", password: \"{PASSWORD}\" }}) {{ user {{ id }} }} }}");
    let renew = format!("mutation {{ refresh(input: {{ refreshToken: \"{refresh}\" }}) {{ outcome }} }}");
    assert_eq!(graphql_request(&server, "", &login), unavailable, "login");
    assert_eq!(graphql_request(&server, "", &renew), unavailable, "refresh");
    assert_eq!(graphql_request(&server, &access, LOGOUT), unavailable, "logout");
    let rest = server.send("/login", "", &json!({ "username": "ann", "password": PASSWORD }));
    assert_eq!(status(&rest), 503, "{rest}");
    assert!(rest.to_lowercase().contains("\r\nretry-after: "), "{rest}");
    assert_eq!(graphql_request(&server, &access, ME), (200, Value::Null), "reads continue");
    assert_eq!(server.get("/healthz"), 200);
    fault.end();

    assert_eq!(graphql_request(&server, &access, ME), (200, Value::Null), "the logout was not acknowledged");
    assert_eq!(graphql_request(&server, "", &login), (200, Value::Null));
    assert_eq!(graphql_request(&server, "", &renew), (200, Value::Null));
    assert_eq!(graphql_request(&server, &access, LOGOUT), (200, Value::Null));
    assert_eq!(graphql_request(&server, &access, ME).0, 401);
    // Writes after the fault survive a crash, too.
    let server = Process::start(server.kill(), &[]);
    assert_eq!(graphql_request(&server, &access, ME).0, 401);
    server.stop();
}

/// R3
#[tokio::test]
async fn full_disk_acknowledges_no_write_and_recovers() {
    assert_survives("pwrite64:error=ENOSPC").await;
}

/// R4
#[tokio::test]
async fn failing_sync_acknowledges_no_write_and_recovers() {
    assert_survives("fdatasync,fsync:error=EIO").await;
}

/// R4
#[tokio::test]
async fn failing_disk_write_acknowledges_nothing_and_recovers() {
    assert_survives("pwrite64:error=EIO").await;
}

/// R5: a moved file loses no data; moved back, it is used again.
#[tokio::test]
async fn moved_database_file_acknowledges_no_write() {
    if backend() != DbBackend::Sqlite {
        return;
    }
    let server = Process::start(TestDatabase::migrated().await, &[("ACCOUNTD_LOG__FILTER", "off")]);
    let (access, refresh) = register_status(&server);
    let renew = format!("mutation {{ refresh(input: {{ refreshToken: \"{refresh}\" }}) {{ outcome }} }}");
    let (file, aside) = {
        let directory = &server.database().directory;
        (directory.join("accountd.db"), directory.join("aside.db"))
    };
    std::fs::rename(&file, &aside).unwrap();
    for replaced in [false, true] {
        if replaced {
            std::fs::copy(&aside, &file).unwrap();
        }
        assert_eq!(graphql_request(&server, "", &renew), (503, json!("STORAGE_UNAVAILABLE")));
        assert_eq!(graphql_request(&server, &access, LOGOUT), (503, json!("STORAGE_UNAVAILABLE")));
        assert_eq!((server.get("/readyz"), server.get("/healthz")), (503, 200));
    }
    std::fs::rename(&aside, &file).unwrap();
    assert_eq!(server.get("/readyz"), 200);
    assert_eq!(graphql_request(&server, "", &renew), (200, Value::Null));
    server.stop();
}

/// R5: an unusable path is reported in one sentence, and nothing is half started.
#[tokio::test]
async fn unusable_data_directory_is_reported_at_start() {
    if backend() != DbBackend::Sqlite {
        return;
    }
    let database = TestDatabase::migrated().await;
    std::fs::create_dir_all(&database.directory).unwrap();
    let file = database.directory.join("file");
    std::fs::write(&file, "no database").unwrap();
    for (setting, value, expected) in [
        ("ACCOUNTD_DATA_DIR", file.join("data"), "cannot create the data directory"),
        (
            "ACCOUNTD_DATABASE_URL",
            format!("sqlite:{}", file.join("a.db").display()).into(),
            "cannot write to the database",
        ),
        ("ACCOUNTD_DATABASE_URL", format!("sqlite:{}", file.display()).into(), "file is not a database"),
    ] {
        let mut serve = program(&database);
        serve.args(["serve", "--listen", "127.0.0.1:0"]).env(setting, value);
        let output = serve.output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        // The test's own directory is world-readable, which is reported first.
        let others = stderr.lines().filter(|line| !line.contains("chmod o-rwx"));
        assert!(stderr.contains(expected) && others.count() == 1, "{stderr}");
    }
}
