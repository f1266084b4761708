//! Growth: how the figures change from a thousand users to a million.

use std::time::Instant;

use serde_json::json;

use crate::load::{graphql, repeat, run};
use crate::reads::{CONNECTIONS, ME_QUERY, USERS_QUERY};
use crate::refresh::refresh_chain;
use crate::report::{Curve, Report};
use crate::server::{PROGRAM, Server, TempDirectory, create_admin};
use crate::startup::seconds_until_ready;
use crate::{ROUNDS, median, seed};

const SIZES: [usize; 3] = [1_000, 100_000, 1_000_000];

/// Sessions that are refreshed concurrently.
const SESSIONS: usize = 8;

/// What is measured at each size.
const METRICS: [&str; 5] = ["me", "users(first: 20)", "refresh", "time until ready", "memory"];

/// Measures each size.
pub fn measure(report: &mut Report) {
    let measured: Vec<[f64; 5]> = SIZES.iter().map(|size| measure_at(*size)).collect();
    for (index, name) in METRICS.into_iter().enumerate() {
        let points = SIZES.iter().zip(&measured).map(|(size, values)| (*size as f64, values[index]));
        let first = measured[0][index];
        report.add_curve(Curve { name, points: points.map(|(size, value)| (size, value / first)).collect() });
        let values: Vec<String> = measured.iter().map(|values| format_value(index, values[index])).collect();
        report.record(format!("{name} with 1,000, 100,000 and 1,000,000 users"), values.join(", "));
    }
}

fn format_value(index: usize, value: f64) -> String {
    match METRICS[index] {
        "memory" => format!("{value:.0} MiB"),
        "time until ready" => format!("{value:.3} s"),
        _ => format!("{value:.0}/s"),
    }
}

fn measure_at(size: usize) -> [f64; 5] {
    let directory = TempDirectory::new();
    create_admin(PROGRAM, &directory, "root");
    seed::users(&directory, size);
    let started = Instant::now();
    let server = Server::spawn_unready(&directory, &[("ACCOUNTD_LIMITS__ENABLED", "false")]);
    let ready = seconds_until_ready(&server, started);
    let token = server.login("root").0;
    let (me, page) = (graphql(&token, ME_QUERY, &json!({})), graphql(&token, USERS_QUERY, &json!({})));
    let (mut reads, mut pages, mut refreshes) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        reads.push(run(server.port, CONNECTIONS, |_| repeat(me.clone())).rate());
        pages.push(run(server.port, CONNECTIONS, |_| repeat(page.clone())).rate());
        let tokens: Vec<String> = (0..SESSIONS).map(|_| server.login("root").1).collect();
        refreshes.push(run(server.port, SESSIONS, |index| refresh_chain(tokens[index].clone())).rate());
    }
    [median(reads), median(pages), median(refreshes), ready, server.resident_mib()]
}
