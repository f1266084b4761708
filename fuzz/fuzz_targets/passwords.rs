//! Fuzzes the password policy with arbitrary passwords and names: it is fast and does not panic.

#![no_main]

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use accountd::config::{Config, Flags};
use accountd::security::policy::Rules;
use libfuzzer_sys::fuzz_target;

/// The server's default rules.
static RULES: LazyLock<Rules> =
    LazyLock::new(|| Rules::new(&Config::load(Flags::default(), []).expect("valid defaults").password));

/// Generous for an instrumented build: a text of unlimited length took seconds in an ordinary one.
const TIME_LIMIT: Duration = Duration::from_secs(2);

fuzz_target!(|texts: (&str, &str)| {
    let (password, name) = texts;
    let started = Instant::now();
    RULES.violations(password, &[name.to_owned()]);
    assert!(started.elapsed() < TIME_LIMIT, "it took {:?}", started.elapsed());
});
