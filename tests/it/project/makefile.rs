//! `make test`: a suite that fails hides none of the others.

use std::process::{Command, Output};

fn make(suites: &str) -> Output {
    let root = env!("CARGO_MANIFEST_DIR");
    // What `make` tells its own children is not for this one.
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
    let told = text(&failed.stderr);
    assert!(!failed.status.success(), "{told}");
    assert!(told.contains("neither-this-one'"), "the last suite was not run: {told}");
    let last = told.lines().rfind(|line| line.starts_with("FAILED:")).unwrap_or_default();
    assert!(last.starts_with("FAILED: no-such-suite neither-this-one "), "{told}");
    let passed = make("tools");
    assert!(passed.status.success(), "{}", text(&passed.stderr));
    assert_eq!(text(&passed.stdout), "passed: tools\n");
}
