//! Any bytes as a stored password hash and as a file of each format that is imported: read soon, and without a panic.

#![no_main]

use std::time::{Duration, Instant};

use accountd::account::import::{auth_service, lines, plantdb, table};
use accountd::security::stored::Stored;
use libfuzzer_sys::fuzz_target;

/// Generous for an instrumented build: what is dear is refused before it is computed.
const SOON: Duration = Duration::from_secs(2);

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let begun = Instant::now();
    Stored::parse(&text).ok();
    lines::read(&text);
    table::read(&text).ok();
    plantdb::read(&text).ok();
    auth_service::read(&text, Some(&text)).ok();
    assert!(begun.elapsed() < SOON, "it took {:?}", begun.elapsed());
});
