//! Hashing yields: the share of `me` throughput kept under a login load, the share of the CPU's hash rate that logins
//! reach, and the memory that a login flood leaves.

use std::thread;
use std::time::Instant;

use serde_json::json;

use crate::load::{LoadGenerator, graphql, repeat, run};
use crate::machine::cores;
use crate::reads::{CONNECTIONS, ME_QUERY};
use crate::report::Report;
use crate::server::{Server, TempDirectory};
use crate::{PASSWORD, ROUND, ROUNDS, median};

/// Measurements of `me` under login load: two in a row differ by a sixth when other guests use the machine.
const SAMPLES: usize = 9;

/// Connections that log in.
const LOGIN_CONNECTIONS: usize = 16;

/// A login without a selection of tokens.
pub const LOGIN_MUTATION: &str =
    "mutation ($n: String!, $p: String!) { login(input: { username: $n, password: $p }) { errors { code } } }";

/// Measures `me` under a login load and logins alone.
pub fn measure(report: &mut Report) {
    let directory = TempDirectory::new();
    // The session that reads is older than all that log in.
    let settings = [("ACCOUNTD_LIMITS__ENABLED", "false"), ("ACCOUNTD_LIMITS__MAX_SESSIONS_PER_USER", "10000")];
    let server = Server::start_with(&directory, &settings);
    let token = server.register("ann").0;
    let me = graphql(&token, ME_QUERY, &json!({}));
    let login = graphql("", LOGIN_MUTATION, &json!({ "n": "ann", "p": PASSWORD }));
    let (mut shares, mut p99s, mut hash_times, mut login_shares) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let reads = || run(server.port, CONNECTIONS, |_| repeat(me.clone()));
    let mut before = reads().rate();
    for _ in 0..SAMPLES {
        let load = LoadGenerator::start(server.port, LOGIN_CONNECTIONS, |_| repeat(login.clone()));
        let under_load = reads();
        load.stop();
        // Before and after: other guests of the machine come and go.
        let after = reads().rate();
        shares.push(under_load.rate() / ((before + after) / 2.0));
        p99s.push(under_load.p99());
        before = after;
    }
    for _ in 0..ROUNDS {
        let before = hash_seconds();
        // The most concurrent logins that the pool accepts without rejecting one.
        let logins = run(server.port, cores() * 4, |_| repeat(login.clone()));
        let hash = (before + hash_seconds()) / 2.0;
        hash_times.push(hash * 1_000.0);
        login_shares.push(logins.rate() * hash / cores() as f64);
    }
    report.record("one hash while all processors hash", format!("{:.1} ms", median(hash_times)));
    report.record_share(
        format!("`me` under {LOGIN_CONNECTIONS} login connections, share of `me` alone"),
        median(shares),
        80,
    );
    report.record_with_target(
        "99th percentile of `me` under that load",
        format!("{:.1} ms", median(p99s)),
        "20 ms or less",
    );
    report.record_share("logins alone, share of the CPU's hash rate", median(login_shares), 95);
    report.record("memory after the login load", format!("{:.0} MiB", server.resident_mib()));
}

/// The time of one hash at the default cost, in seconds, while every processor hashes: they share memory bandwidth,
/// which Argon2 is made to use up.
fn hash_seconds() -> f64 {
    let hashing: Vec<_> = (0..cores()).map(|_| thread::spawn(hash_for_one_round)).collect();
    let times = hashing.into_iter().map(|hashing| hashing.join().expect("hashes"));
    times.sum::<f64>() / cores() as f64
}

/// Hashes for one round; returns the seconds per hash.
fn hash_for_one_round() -> f64 {
    let argon2 = argon2::Argon2::default();
    let (mut memory, mut output) = (vec![argon2::Block::new(); argon2.params().block_count()], [0; 32]);
    let (started, mut count) = (Instant::now(), 0.0);
    while started.elapsed() < ROUND {
        argon2.hash_password_into_with_memory(b"x", b"some salt or other", &mut output, &mut memory).expect("a hash");
        count += 1.0;
    }
    started.elapsed().as_secs_f64() / count
}
