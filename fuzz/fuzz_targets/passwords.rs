//! Any text as a new password for an account with any name: judged soon and without a panic.

#![no_main]

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use accountd::config::{Config, Flags};
use accountd::security::policy::Rules;
use libfuzzer_sys::fuzz_target;

/// What the server starts with when nobody sets anything.
static RULES: LazyLock<Rules> =
    LazyLock::new(|| Rules::new(&Config::load(Flags::default(), []).expect("the defaults are good").password));

/// Generous for an instrumented build: a text without bound took seconds in an ordinary one.
const SOON: Duration = Duration::from_secs(2);

fuzz_target!(|texts: (&str, &str)| {
    let (password, name) = texts;
    let begun = Instant::now();
    RULES.violations(password, &[name.to_owned()]);
    assert!(begun.elapsed() < SOON, "it took {:?}", begun.elapsed());
});
