//! The program: passes the environment to the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Variables that are not Unicode belong to other programs.
    let environment =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    accountd::cli::run(environment)
}
