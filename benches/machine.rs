//! Description of the machine that the figures belong to.

use std::fs;
use std::thread::available_parallelism;

/// Processors, memory and kernel.
pub fn description() -> String {
    let line = |path: &str, name: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_once(':').map_or(String::new(), |(_, value)| value.trim().to_owned())
    };
    let kibibytes = line("/proc/meminfo", "MemTotal").trim_end_matches(" kB").parse::<f64>().unwrap_or_default();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!(
        "{} cores of {}, {:.0} GiB, Linux {}; the clients run on the same cores",
        cores(),
        line("/proc/cpuinfo", "model name"),
        kibibytes / 1_048_576.0,
        kernel.trim().split('-').next().unwrap_or_default()
    )
}

/// Number of processors.
pub fn cores() -> usize {
    available_parallelism().expect("processors").get()
}
