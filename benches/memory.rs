//! Memory of a server after a hundred thousand active sessions have sent a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::json;

use crate::load::{Connection, graphql};
use crate::reads::ME_QUERY;
use crate::report::Report;
use crate::seed;
use crate::server::{Server, TempDirectory};

const SESSIONS: usize = 100_000;

/// Connections that send the requests.
const CONNECTIONS: usize = 16;

/// Measures the resident memory.
pub fn measure(report: &mut Report) {
    let directory = TempDirectory::new();
    seed::users(&directory, SESSIONS);
    let tokens = Arc::new(seed::sessions(&directory, SESSIONS));
    let server = Server::start(&directory);
    let (port, next) = (server.port, Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (tokens, next) = (Arc::clone(&tokens), Arc::clone(&next));
            thread::spawn(move || {
                let mut connection = Connection::open(port);
                while let Some(token) = tokens.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let response = connection.exchange(&graphql(token, ME_QUERY, &json!({})));
                    assert!(response.contains("\"username\""), "{response}");
                }
            })
        })
        .collect();
    for client in clients {
        client.join().expect("a client");
    }
    report.record(
        format!("memory after requests of {SESSIONS} active sessions"),
        format!("{:.0} MiB", server.resident_mib()),
    );
}
