//! Prerequisites of tests on this machine, and the slow profile.

use std::io::Write;
use std::process::{Command, Stdio};

/// Whether the tests may take minutes: `ACCOUNTD_TEST_SLOW=1`, as `make test-slow` sets it.
#[expect(clippy::disallowed_methods, reason = "a switch for the person who runs the tests")]
pub fn is_slow_run() -> bool {
    std::env::var("ACCOUNTD_TEST_SLOW").is_ok_and(|value| value == "1")
}

/// Whether `program` can be run. Reports the skipped tests otherwise, which the test harness cannot.
pub fn is_installed(program: &str, what: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        report_skipped(&format!("{program} is missing"), what);
    }
    found
}

/// Writes what is not tested on this machine, and why, to the uncaptured standard error.
pub fn report_skipped(why: &str, what: &str) {
    writeln!(std::io::stderr(), "NOT TESTED, because {why}: {what}").ok();
}
