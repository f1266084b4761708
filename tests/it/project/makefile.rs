//! `make test`: a failing suite hides no other.

use std::process::{Command, Output};

fn make(suites: &str) -> Output {
    let root = env!("CARGO_MANIFEST_DIR");
    // Variables that `make` sets for its own children must not reach this one.
    let mut command = Command::new("make");
    for name in ["MAKEFLAGS", "MFLAGS", "MAKELEVEL"] {
        command.env_remove(name);
    }
    command.args(["-C", root, "--no-print-directory", "test", &format!("SUITES={suites}")]).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn make_test_runs_all_suites_and_names_failed_ones_last() {
    let failed = make("no-such-suite tools neither-this-one");
    let stderr = text(&failed.stderr);
    assert!(!failed.status.success(), "{stderr}");
    assert!(stderr.contains("neither-this-one'"), "the last suite did not run: {stderr}");
    let last = stderr.lines().rfind(|line| line.starts_with("FAILED:")).unwrap_or_default();
    assert!(last.starts_with("FAILED: no-such-suite neither-this-one "), "{stderr}");
    let passed = make("tools");
    assert!(passed.status.success(), "{}", text(&passed.stderr));
    assert_eq!(text(&passed.stdout), "passed: tools\n");
}
