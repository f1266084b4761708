//! The figures: what accountd reaches on this machine, as ratios measured in one run beside a bare server, beside the
//! database's own commits, and beside what the processors can hash.
//!
//! `cargo bench` measures everything and writes `benches/results`; `cargo bench -- reads login` measures parts. With
//! `BENCH_OTHER` in the environment, `cargo bench -- turns` measures that binary and this one by turns.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a bench stops at the first surprise")]

use std::time::Duration;

mod baseline;
mod build_comparison;
mod growth;
mod hashing;
mod load;
mod login_timing;
mod machine;
mod memory;
mod reads;
mod refresh;
mod rejections;
mod report;
mod seed;
mod server;
mod slow_clients;
mod startup;

/// How often each thing is measured; the median counts.
const ROUNDS: usize = 3;

/// How long one measurement takes.
const ROUND: Duration = Duration::from_secs(3);

/// The password of everybody.
const PASSWORD: &str = "correct-horse-battery-7";

/// Measures something, and tells it.
type Measure = fn(&mut report::Report);

/// What can be measured, in this order.
const PARTS: [(&str, Measure); 9] = [
    ("start", startup::measure),
    ("reads", reads::measure),
    ("refresh", refresh::measure),
    ("login", hashing::measure),
    ("alike", login_timing::measure),
    ("refused", rejections::measure),
    ("slow", slow_clients::measure),
    ("memory", memory::measure),
    ("growth", growth::measure),
];

fn main() {
    if let Some(port) = server::baseline_port() {
        return baseline::serve(port);
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if wanted == ["turns"] {
        return build_comparison::measure();
    }
    let mut report = report::Report::default();
    for (name, measure) in PARTS {
        if wanted.is_empty() || wanted.iter().any(|part| part == name) {
            println!("{name}");
            measure(&mut report);
        }
    }
    if wanted.is_empty() {
        report.write();
    }
}

/// The median of what was measured.
fn median<T: Copy + PartialOrd>(mut values: Vec<T>) -> T {
    values.sort_by(|one, other| one.partial_cmp(other).expect("numbers"));
    values[values.len() / 2]
}
