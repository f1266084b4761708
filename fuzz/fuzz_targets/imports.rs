//! Any bytes as a stored password hash and as a file of each format that is imported: read soon, and without a panic.

#![no_main]

use std::time::{Duration, Instant};

use accountd::account::import::{Layout, auth_service, encoding, lines, plantdb, table};
use accountd::security::stored::{Stored, has_form_of_hash, unwrapped};
use libfuzzer_sys::fuzz_target;

/// Generous for an instrumented build: what is dear is refused before it is computed.
const SOON: Duration = Duration::from_secs(2);

fuzz_target!(|bytes: &[u8]| {
    let text = encoding::decode(bytes.to_vec()).unwrap_or_else(|_| String::from_utf8_lossy(bytes).into_owned());
    let begun = Instant::now();
    has_form_of_hash(&text);
    // A password costs time, which the fuzzer's flags bound; what is parsed again must not change.
    if let Ok(stored) = Stored::parse(&unwrapped(&text)) {
        stored.scheme();
    }
    lines::read(&text);
    table::read(&text).ok();
    // The first line says how the rest is written.
    if let Some((options, rest)) = text.split_once('\n') {
        let mut layout = Layout { delimiter: options.bytes().next(), ..Layout::default() };
        layout.rename(options).ok();
        lines::read_with(rest, &layout);
        table::read_with(rest, &layout).ok();
        layout.columns = options.split(',').map(str::to_owned).collect();
        table::read_with(rest, &layout).ok();
    }
    plantdb::read(&text).ok();
    auth_service::read(&text, Some(&text)).ok();
    assert!(begun.elapsed() < SOON, "it took {:?}", begun.elapsed());
});
