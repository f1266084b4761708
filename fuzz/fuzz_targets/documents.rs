//! Fuzzes document parsing with arbitrary bytes: an accepted document is within the limits and equals what the
//! executor's own parser, which has no limits, reads.

#![no_main]

use std::time::{Duration, Instant};

use accountd::graphql::Document;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::ExecutableDocument;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// Generous for an instrumented build: a document of unlimited nesting takes minutes.
const TIME_LIMIT: Duration = Duration::from_secs(2);

/// Most tokens of a document: the server's default.
const MAX_TOKENS: usize = 1_000;

/// Deepest nesting of a document's JSON: three levels for each of 50 brackets, and some for the nodes around them.
const MAX_DEPTH: usize = 500;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let started = Instant::now();
    let Ok(document) = Document::parse(&text, MAX_TOKENS) else { return };
    assert!(started.elapsed() < TIME_LIMIT, "it took {:?}", started.elapsed());
    let Some(document) = document.parsed() else { return };
    let ours = plain(document);
    assert!(depth(&ours) <= MAX_DEPTH);
    if let Ok(theirs) = parse_query(&text) {
        assert_eq!(ours, plain(&theirs));
    }
});

/// The document without positions, and without backslashes and blanks in strings, some of which the other parser leaves
/// in block strings; `-0` becomes 0.
fn plain(document: &ExecutableDocument) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.remove("pos");
                fields.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            Value::Number(number) if number.as_f64() == Some(0.0) => *value = 0.into(),
            Value::String(text) => text.retain(|one| !matches!(one, '\\' | ' ' | '\t')),
            _ => {}
        }
    }
    let mut value = serde_json::to_value(document).expect("documents can be written as JSON");
    strip(&mut value);
    value
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}
