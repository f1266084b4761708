//! Dry runs of the command: nothing changes.

use std::path::Path;
use std::process::Command;

use sea_orm::DbBackend;

use super::{CSV, WorkingDirectory, error_output, standard_output};
use crate::support::database::backend;

/// Not even a missing database is created.
#[tokio::test]
async fn import_dry_run_changes_nothing() {
    let directory = WorkingDirectory::new().await;
    let file = directory.file("users.csv", CSV);
    directory.import(&["csv", &file, "--dry-run"]);
    assert!(!directory.data().exists());
    if backend() != DbBackend::Sqlite {
        return;
    }
    directory.import(&["csv", &file]);
    let all = |path: &Path| {
        let files = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = files.map(|file| (file.clone(), std::fs::read(file).unwrap())).collect();
        files.sort();
        files
    };
    let before = all(&directory.data());
    let more = directory.file("more.csv", "username\neve\n");
    let dry = directory.import(&["csv", &more, "--dry-run"]);
    assert!(standard_output(&dry).contains("1 would be imported"), "{}", error_output(&dry));
    assert!(all(&directory.data()) == before, "the files are unchanged, byte for byte");
}

/// The database may be outside the data directory; a dry run does not care.
#[tokio::test]
async fn import_dry_run_creates_no_data_directory() {
    if backend() != DbBackend::Sqlite {
        return;
    }
    let directory = WorkingDirectory::new().await;
    let file = directory.file("users.csv", CSV);
    directory.import(&["csv", &file]);
    let other = directory.database.directory.join("other");
    let url = format!("sqlite:{}", directory.data().join("accountd.db").display());
    let dry = Command::new(env!("CARGO_BIN_EXE_accountd"))
        .args(["import", "csv", &file, "--dry-run", "--database-url", &url, "--data-dir"])
        .arg(&other)
        .output()
        .unwrap();
    assert!(standard_output(&dry).contains("2 imported earlier"), "{}", error_output(&dry));
    assert!(!other.exists());
}
