//! Hashing stands back: what `me` keeps of its throughput while others log in without pause, what logins alone reach of
//! what the processors can hash, and the memory that a flood leaves.

use std::thread;
use std::time::Instant;

use serde_json::json;

use crate::load::{LoadGenerator, graphql, repeat, run};
use crate::machine::cores;
use crate::reads::{CONNECTIONS, ME_QUERY};
use crate::report::Report;
use crate::server::{Server, TempDirectory};
use crate::{PASSWORD, ROUND, ROUNDS, median};

/// How often `me` is read beside logins: a reading is a sixth above or below the next one when others use the machine.
const SAMPLES: usize = 9;

/// Connections that log in.
const LOGIN_CONNECTIONS: usize = 16;

pub const LOGIN_MUTATION: &str =
    "mutation ($n: String!, $p: String!) { login(input: { username: $n, password: $p }) { errors { code } } }";

pub fn measure(report: &mut Report) {
    let directory = TempDirectory::new();
    // The session that reads is older than all that log in.
    let settings = [("ACCOUNTD_LIMITS__ENABLED", "false"), ("ACCOUNTD_LIMITS__MAX_SESSIONS_PER_USER", "10000")];
    let server = Server::start_with(&directory, &settings);
    let token = server.register("ann").0;
    let me = graphql(&token, ME_QUERY, &json!({}));
    let login = graphql("", LOGIN_MUTATION, &json!({ "n": "ann", "p": PASSWORD }));
    let (mut kept, mut slow, mut took, mut reached) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let reads = || run(server.port, CONNECTIONS, |_| repeat(me.clone()));
    let mut before = reads().rate();
    for _ in 0..SAMPLES {
        let crowd = LoadGenerator::start(server.port, LOGIN_CONNECTIONS, |_| repeat(login.clone()));
        let crowded = reads();
        crowd.stop();
        // Before and after: other guests of the machine come and go.
        let after = reads().rate();
        kept.push(crowded.rate() / ((before + after) / 2.0));
        slow.push(crowded.p99());
        before = after;
    }
    for _ in 0..ROUNDS {
        let before = hash_seconds();
        // As many at a time as the pool lets in without turning anybody away.
        let logins = run(server.port, cores() * 4, |_| repeat(login.clone()));
        let hash = (before + hash_seconds()) / 2.0;
        took.push(hash * 1_000.0);
        reached.push(logins.rate() * hash / cores() as f64);
    }
    report.record("one hash, while all processors hash", format!("{:.1} ms", median(took)));
    report.record_share(
        format!("what `me` keeps beside {LOGIN_CONNECTIONS} connections that log in"),
        median(kept),
        80,
    );
    report.record_with_target("the 99th percentile of `me` then", format!("{:.1} ms", median(slow)), "20 ms or less");
    report.record_share("logins alone, beside what the processors can hash", median(reached), 95);
    report.record("memory after the flood", format!("{:.0} MiB", server.resident_mib()));
}

/// The time of one hash at the default cost, in seconds, while every processor hashes: they share the way to the
/// memory, which is what Argon2 is made to keep busy.
fn hash_seconds() -> f64 {
    let hashing: Vec<_> = (0..cores()).map(|_| thread::spawn(hash_for_one_round)).collect();
    let times = hashing.into_iter().map(|hashing| hashing.join().expect("hashes"));
    times.sum::<f64>() / cores() as f64
}

/// Hashes for one round; the time that each took, in seconds.
fn hash_for_one_round() -> f64 {
    let argon2 = argon2::Argon2::default();
    let (mut memory, mut output) = (vec![argon2::Block::new(); argon2.params().block_count()], [0; 32]);
    let (begun, mut count) = (Instant::now(), 0.0);
    while begun.elapsed() < ROUND {
        argon2.hash_password_into_with_memory(b"x", b"some salt or other", &mut output, &mut memory).expect("a hash");
        count += 1.0;
    }
    begun.elapsed().as_secs_f64() / count
}
