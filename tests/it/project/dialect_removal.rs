//! A dialect is removed with its folder and its lines in the list of dialects: the rest still builds.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::prerequisites::is_slow_run;

const LIST: &str = "src/dialects.rs";

/// The dialects, by their module declarations.
fn dialects(list: &str) -> Vec<String> {
    let modules =
        list.lines().filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'));
    modules.filter(|name| Path::new("src/dialects").join(name).is_dir()).map(str::to_owned).collect()
}

/// The list without the lines that name the dialect.
fn without(list: &str, dialect: &str) -> String {
    let names_it = |line: &&str| line.contains(&format!("mod {dialect};")) || line.contains(&format!("{dialect}::"));
    list.lines().filter(|line| !names_it(line)).map(|line| format!("{line}\n")).collect()
}

/// Copies the directory, without build output and dependencies.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[test]
fn every_dialect_takes_at_most_three_lines_to_register() {
    let list = fs::read_to_string(LIST).unwrap();
    let dialects = dialects(&list);
    assert!(dialects.len() >= 5, "{dialects:?}");
    for dialect in dialects {
        let lines = list.lines().count() - without(&list, &dialect).lines().count();
        assert!((2..=3).contains(&lines), "{dialect}: {lines} lines");
    }
}

#[test]
fn project_builds_without_each_dialect() {
    if !is_slow_run() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    for part in ["src", "entity", "migration", "benches", "examples"] {
        copy(Path::new(part), &directory.path().join(part));
    }
    for part in ["Cargo.toml", "Cargo.lock", "build.rs", "schema.graphql", "openapi.json"] {
        if Path::new(part).exists() {
            fs::copy(part, directory.path().join(part)).unwrap();
        }
    }
    // `cargo check` builds no tests, but their declared file must exist.
    fs::create_dir_all(directory.path().join("tests/it")).unwrap();
    fs::write(directory.path().join("tests/it/main.rs"), "").unwrap();
    // Dependencies that are built already are not built again.
    let program = Path::new(env!("CARGO_BIN_EXE_accountd"));
    let target = program.parent().and_then(Path::parent).unwrap();
    let list = fs::read_to_string(LIST).unwrap();
    for dialect in dialects(&list) {
        let folder = directory.path().join("src/dialects").join(&dialect);
        let file = folder.with_extension("rs");
        fs::remove_dir_all(&folder).unwrap();
        fs::remove_file(&file).unwrap();
        fs::write(directory.path().join(LIST), without(&list, &dialect)).unwrap();
        let mut command = Command::new("cargo");
        command.args(["check", "--quiet", "--offline", "--lib", "--bins"]).current_dir(directory.path());
        let output = command.env("CARGO_TARGET_DIR", target).output().unwrap();
        assert!(output.status.success(), "without {dialect}:\n{}", String::from_utf8_lossy(&output.stderr));
        copy(&Path::new("src/dialects").join(&dialect), &folder);
        fs::copy(Path::new("src/dialects").join(format!("{dialect}.rs")), &file).unwrap();
    }
}
