//! What some tests need of the machine, and whether they may take their time on it.

use std::io::Write;
use std::process::{Command, Stdio};

/// Whether the tests may take minutes: `ACCOUNTD_TEST_SLOW=1`, as `make test-slow` sets it.
#[expect(clippy::disallowed_methods, reason = "a switch for the person who runs the tests")]
pub fn is_slow_run() -> bool {
    std::env::var("ACCOUNTD_TEST_SLOW").is_ok_and(|value| value == "1")
}

/// Whether `program` can be run. Tells plainly what is not tested without it: tests have no other way to say so.
pub fn is_installed(program: &str, what: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        report_skipped(&format!("{program} is missing"), what);
    }
    found
}

/// Tells what is not tested on this machine, and why, where nobody captures it.
pub fn report_skipped(why: &str, what: &str) {
    writeln!(std::io::stderr(), "NOT TESTED, because {why}: {what}").ok();
}
