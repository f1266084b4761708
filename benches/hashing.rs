//! Hashing stands back: what `me` keeps of its throughput while others log in without pause, what logins alone reach of
//! what the processors can hash, and the memory that a flood leaves.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::{Crowd, always, graphql, run};
use crate::machine::cores;
use crate::reads::ME;
use crate::report::Report;
use crate::server::{Directory, Server};
use crate::{PASSWORD, ROUNDS, median};

/// Connections that read.
const READERS: usize = 8;

/// Connections that log in.
const LOGINS: usize = 16;

const LOGIN: &str =
    "mutation ($n: String!, $p: String!) { login(input: { username: $n, password: $p }) { errors { code } } }";

pub fn measure(report: &mut Report) {
    let directory = Directory::new();
    let server = Server::start(&directory);
    let token = server.register("ann").0;
    let me = graphql(&token, ME, &json!({}));
    let login = graphql("", LOGIN, &json!({ "n": "ann", "p": PASSWORD }));
    let hash = one_hash().as_secs_f64();
    let (mut kept, mut slow, mut reached) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let alone = run(server.port, READERS, |_| always(me.clone()));
        let crowd = Crowd::gather(server.port, LOGINS, |_| always(login.clone()));
        let crowded = run(server.port, READERS, |_| always(me.clone()));
        crowd.disperse();
        kept.push(crowded.rate() / alone.rate());
        slow.push(crowded.p99());
        // As many at a time as the pool lets in without turning anybody away.
        let logins = run(server.port, cores() * 4, |_| always(login.clone()));
        reached.push(logins.rate() * hash / cores() as f64);
    }
    report.tell("one hash", format!("{:.1} ms", hash * 1_000.0));
    report.hold_share(format!("what `me` keeps beside {LOGINS} connections that log in"), median(kept), 80);
    report.hold("the 99th percentile of `me` then", format!("{:.1} ms", median(slow)), "20 ms or less");
    report.hold_share("logins alone, beside what the processors can hash", median(reached), 95);
    report.tell("memory after the flood", format!("{:.0} MiB", server.resident()));
}

/// The time of one hash at the default cost, on a thread that has nothing else to do.
fn one_hash() -> Duration {
    let argon2 = argon2::Argon2::default();
    let (mut memory, mut output) = (vec![argon2::Block::new(); argon2.params().block_count()], [0; 32]);
    let time = |_| {
        let begun = Instant::now();
        argon2.hash_password_into_with_memory(b"x", b"some salt or other", &mut output, &mut memory).expect("a hash");
        begun.elapsed()
    };
    median((0..30).map(time).collect())
}
