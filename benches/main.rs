//! Benchmarks: ratios measured in one run against a baseline server, the database's own commit rate, and the CPU's hash
//! rate.
//!
//! `cargo bench` measures everything and writes `benches/results`; `cargo bench -- reads login` measures parts. With
//! `BENCH_OTHER` in the environment, `cargo bench -- turns` compares that binary with this one.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a bench stops at the first unexpected result")]

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

/// Measurements of each figure; the median counts.
const ROUNDS: usize = 3;

/// Length of one measurement.
const ROUND: Duration = Duration::from_secs(3);

/// The password of every account.
const PASSWORD: &str = "correct-horse-battery-7";

/// Measures one part and adds its figures to the report.
type Measure = fn(&mut report::Report);

/// The parts, in the order of measurement.
const PARTS: [(&str, Measure); 9] = [
    ("startup", startup::measure),
    ("reads", reads::measure),
    ("refresh", refresh::measure),
    ("login", hashing::measure),
    ("login-timing", login_timing::measure),
    ("rejections", rejections::measure),
    ("slow-clients", slow_clients::measure),
    ("memory", memory::measure),
    ("growth", growth::measure),
];

fn main() {
    if let Some(port) = server::baseline_port() {
        return baseline::serve(port);
    }
    let selected: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if selected == ["turns"] {
        return build_comparison::measure();
    }
    let mut report = report::Report::default();
    for (name, measure) in PARTS {
        if selected.is_empty() || selected.iter().any(|part| part == name) {
            println!("{name}");
            measure(&mut report);
        }
    }
    if selected.is_empty() {
        report.write();
    }
}

/// The median of `values`.
fn median<T: Copy + PartialOrd>(mut values: Vec<T>) -> T {
    values.sort_by(|one, other| one.partial_cmp(other).expect("numbers"));
    values[values.len() / 2]
}
