//! Write order: the data is on the disk before the response is sent. A kill does not show this, because the kernel
//! keeps the writes of a killed process; a trace of its system calls does.

use std::path::{Path, PathBuf};
use std::process::Command;

use sea_orm::DbBackend;
use serde_json::{Value, json};

use crate::support::PASSWORD;
use crate::support::database::{TestDatabase, backend};
use crate::support::prerequisites;
use crate::support::process::{Process, program};

/// The relevant steps of the trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Data was written to the database's log.
    Written,
    /// All of it is on the disk.
    Synced,
    /// A response begins.
    Answered,
}

/// The steps of a trace, in order; an interrupted call counts when it completes, a response when it begins.
fn steps(trace: &str) -> Vec<Step> {
    let mut unfinished = std::collections::BTreeMap::new();
    let mut steps = Vec::new();
    for line in trace.lines() {
        let (thread, call) = line.trim_start().split_once(char::is_whitespace).unwrap_or(("", line));
        let call = call.trim_start();
        let begun = match call.strip_prefix("<... ") {
            Some(_) => unfinished.remove(thread).unwrap_or_default(),
            None => call.to_owned(),
        };
        if !call.starts_with("<... ") && begun.contains("\"HTTP/1.1 ") {
            steps.push(Step::Answered);
        }
        if call.ends_with("<unfinished ...>") {
            unfinished.insert(thread.to_owned(), begun);
            continue;
        }
        if !begun.contains("-wal>") {
            continue;
        }
        match begun.split('(').next() {
            Some("pwrite64") => steps.push(Step::Written),
            Some("fdatasync" | "fsync") if call.ends_with("= 0") => steps.push(Step::Synced),
            _ => {}
        }
    }
    steps
}

fn traced(trace: &Path, database: &TestDatabase) -> Command {
    let mut command = Command::new("strace");
    // The tracer is a grandchild, so that the child is the server itself.
    command.args(["-D", "-f", "-y", "-s", "16", "-e", "trace=pwrite64,fdatasync,fsync,write,writev,sendto,sendmsg"]);
    command.arg("-o").arg(trace).arg(env!("CARGO_BIN_EXE_accountd"));
    for (name, value) in program(database).get_envs() {
        command.env(name, value.unwrap());
    }
    command
}

/// R2: for each kind of change.
#[tokio::test]
async fn write_is_synced_before_its_response_is_sent() {
    if backend() != DbBackend::Sqlite || !prerequisites::is_installed("strace", "write order of data and response") {
        return;
    }
    let database = TestDatabase::migrated().await;
    std::fs::create_dir_all(&database.directory).unwrap();
    let trace: PathBuf = database.directory.join("trace");
    let mut command = traced(&trace, &database);
    command.env("ACCOUNTD_LOG__FILTER", "off").env("ACCOUNTD_LIMITS__ENABLED", "false");
    let server = Process::spawn(command).with_database(database);
    assert_eq!(server.get("/readyz"), 200);
    let before = std::fs::read_to_string(&trace).unwrap().len();

    let pair = "tokens { accessToken refreshToken } errors { code }";
    let done = |token: &str, field: &str, arguments: String, wanted: &str| -> Value {
        let answer = server.graphql(token, &format!("mutation {{ {field}{arguments} {{ {wanted} }} }}"), json!({}));
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"][field].clone()
    };
    let credentials = format!("(input: {{ username: \"ann\", password: \"{PASSWORD}\" }})");
    done("", "register", credentials.clone(), pair);
    let made = done("", "login", credentials, pair);
    let refresh = format!("(input: {{ refreshToken: {} }})", made["tokens"]["refreshToken"]);
    let made = done("", "refresh", refresh, pair);
    let access = made["tokens"]["accessToken"].as_str().unwrap();
    // The first use of a new generation is recorded, too.
    assert_eq!(server.graphql(access, "{ me { username } }", json!({}))["data"]["me"]["username"], "ann");
    let change = format!("(input: {{ currentPassword: \"{PASSWORD}\", newPassword: \"another-good-horse-9\" }})");
    let made = done(access, "updatePassword", change, pair);
    let access = made["tokens"]["accessToken"].as_str().unwrap();
    done(access, "logout", String::new(), "ok");
    let (_, database) = server.stop_keeping_database();

    let trace = std::fs::read_to_string(&trace).unwrap();
    drop(database);
    let steps = steps(&trace[before..]);
    let answers: Vec<&[Step]> = steps.split(|step| *step == Step::Answered).collect();
    // After the last response the process ends.
    let (_, answers) = answers.split_last().unwrap();
    assert_eq!(answers.len(), 6, "{steps:?}");
    for before in answers {
        assert!(before.contains(&Step::Written), "nothing was written: {steps:?}");
        assert_eq!(before.last(), Some(&Step::Synced), "a response preceded its data on the disk: {steps:?}");
    }
}

#[test]
fn trace_parser_reads_writes_and_syncs() {
    let trace = r#"12 pwrite64(9</d/accountd.db-wal>, "7"..., 32, 0) = 32
12 fdatasync(9</d/accountd.db-wal> <unfinished ...>
13 sendto(11<TCP:[1]>, "HTTP/1.1 200 OK"..., 512, MSG_NOSIGNAL, NULL, 0) = 512
12 <... fdatasync resumed>)           = 0
12 pwrite64(9</d/accountd.db>, "7"..., 32, 0) = 32
13 writev(11<TCP:[1]>, [{iov_base="HTTP/1.1 200 OK"..., iov_len=93}], 1 <unfinished ...>
13 <... writev resumed>) = 93
12 fdatasync(9</d/accountd.db-wal>) = -1 EIO (Input/output error)
"#;
    assert_eq!(steps(trace), [Step::Written, Step::Answered, Step::Synced, Step::Answered]);
}
