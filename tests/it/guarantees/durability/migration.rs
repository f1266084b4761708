//! Migrations that are killed at any statement, and run again.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use migration::{Migrator, MigratorTrait};
use sea_orm::DbBackend;

use crate::guarantees::migration::ScratchDatabase;
use crate::support::database::{TestDatabase, backend};
use crate::support::prerequisites::{self, is_slow_run};
use crate::support::process::program;

/// The system call of a statement: SQLite writes to its file, the others send to their server.
fn syscall() -> &'static str {
    if backend() == DbBackend::Sqlite { "pwrite64" } else { "sendto" }
}

/// `accountd migrate`, killed at the start of the call of this number; whether it reached that call.
fn run_killed(database: &TestDatabase, number: usize) -> bool {
    let mut command = Command::new("strace");
    let call = syscall();
    command.args(["-f", "-o", "/dev/null", "-e", &format!("trace={call}")]);
    command.args([
        "-e",
        &format!("inject={call}:signal=KILL:when={number}"),
        env!("CARGO_BIN_EXE_accountd"),
        "migrate",
    ]);
    for (name, value) in program(database).get_envs() {
        command.env(name, value.unwrap());
    }
    let output = command.output().unwrap();
    let was_killed = output.status.signal() == Some(9);
    assert!(was_killed || output.status.success(), "{output:?}");
    was_killed
}

/// R11: at each statement in the slow profile, at some of them otherwise.
#[tokio::test]
async fn killed_migration_completes_at_the_next_start() {
    if !prerequisites::is_installed("strace", "killed migrations") {
        return;
    }
    let expected = ScratchDatabase::migrated().await.shape().await;
    let step = if is_slow_run() { 1 } else { 23 };
    let mut number = 1;
    loop {
        let home = TestDatabase::empty().await;
        let was_killed = run_killed(&home, number);
        let again = program(&home).arg("migrate").output().unwrap();
        assert!(again.status.success(), "after call {number}: {again:?}");
        let scratch = ScratchDatabase::on(home).await;
        assert_eq!(scratch.shape().await, expected, "after call {number}");
        assert_eq!(scratch.steps().await, Migrator::migrations().len(), "after call {number}");
        if !was_killed {
            break;
        }
        number += step;
    }
    assert!(number > step, "no run was killed");
}
