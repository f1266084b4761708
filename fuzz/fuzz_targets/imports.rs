//! Fuzzes stored password hashes and each import format with arbitrary bytes: parsing is fast and does not panic.

#![no_main]

use std::time::{Duration, Instant};

use accountd::account::import::{Layout, csv, encoding, jsonl};
use accountd::dialects::{flask_auth_service_mongo, plantdb};
use accountd::security::schemes::{StoredHash, looks_like_hash, strip_wrappers};
use libfuzzer_sys::fuzz_target;

/// Generous for an instrumented build: expensive hashes are rejected before they are computed.
const TIME_LIMIT: Duration = Duration::from_secs(2);

fuzz_target!(|bytes: &[u8]| {
    let text = encoding::decode(bytes.to_vec()).unwrap_or_else(|_| String::from_utf8_lossy(bytes).into_owned());
    let started = Instant::now();
    looks_like_hash(&text);
    // Verifying a password costs time, which the fuzzer's flags bound.
    if let Ok(stored) = StoredHash::parse(&strip_wrappers(&text)) {
        stored.scheme();
    }
    jsonl::read(&text);
    csv::read(&text).ok();
    // The first line holds the layout of the rest.
    if let Some((options, rest)) = text.split_once('\n') {
        let mut layout = Layout { delimiter: options.bytes().next(), ..Layout::default() };
        layout.rename(options).ok();
        jsonl::read_with(rest, &layout);
        csv::read_with(rest, &layout).ok();
        layout.columns = options.split(',').map(str::to_owned).collect();
        csv::read_with(rest, &layout).ok();
    }
    plantdb::import::read(&text).ok();
    flask_auth_service_mongo::import::read(&text, Some(&text)).ok();
    assert!(started.elapsed() < TIME_LIMIT, "it took {:?}", started.elapsed());
});
