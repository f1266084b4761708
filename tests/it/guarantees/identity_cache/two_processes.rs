//! Two processes on one database.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use accountd::cache::wakeup::PeerWakeup;
use accountd::cache::wakeup::postgres::PostgresNotify;
use accountd::config;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::guarantees::redis::assert_wakeup_arrives;
use crate::support::database::{TestDatabase, backend};
use crate::support::process::Process;
use crate::support::{PASSWORD, TEST_TIMEOUT, TestApp};

const CLIENTS: usize = 64;
const LOGOUT: &str = "mutation { logout { ok } }";

fn register(node: &Process, name: &str) -> String {
    let query = "mutation ($name: String!, $password: String!) {
        register(input: { username: $name, password: $password }) { tokens { accessToken } errors { code } } }";
    let answer = node.graphql("", query, json!({ "name": name, "password": PASSWORD }));
    let token = &answer["data"]["register"]["tokens"]["accessToken"];
    token.as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

fn is_served(node: &Process, token: &str) -> bool {
    let answer = node.graphql(token, "{ me { id } }", json!({}));
    let reason = &answer["errors"][0]["extensions"]["reason"];
    match reason {
        Value::Null => assert!(answer["data"]["me"]["id"].is_string(), "{answer}"),
        reason => assert_eq!(reason, "SESSION_ENDED", "{answer}"),
    }
    reason.is_null()
}

/// Stops the clients when dropped.
struct AbortOnDrop<'a>(&'a AtomicBool);

impl Drop for AbortOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// S8, S9: logouts on one node while 64 clients use the same session on both.
#[tokio::test]
async fn logout_applies_here_at_once_and_on_peers_within_1_s() {
    // The log is not read meanwhile.
    let unlimited = [("ACCOUNTD_LIMITS__ENABLED", "false"), ("ACCOUNTD_LOG__FILTER", "off")];
    let here = Process::start(TestDatabase::migrated().await, &unlimited);
    // The first process creates the secret of the embedded database.
    register(&here, "first");
    let there = here.second_node(&unlimited);
    for round in 0..2 {
        let token = register(&here, &format!("ann-{round}"));
        let (counts_here, counts_there) = (AtomicBool::new(false), AtomicBool::new(false));
        let (served, late, stop) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
        std::thread::scope(|scope| {
            for client in 0..CLIENTS {
                let (node, counts) = if client % 2 == 0 { (&here, &counts_here) } else { (&there, &counts_there) };
                let (token, served, late, stop) = (&token, &served, &late, &stop);
                scope.spawn(move || {
                    while !stop.load(Ordering::SeqCst) {
                        let is_late = counts.load(Ordering::SeqCst);
                        if is_served(node, token) {
                            served.fetch_add(1, Ordering::SeqCst);
                            if is_late {
                                stop.store(true, Ordering::SeqCst);
                                panic!("served after the logout");
                            }
                        } else if is_late {
                            late.fetch_add(1, Ordering::SeqCst);
                        }
                    }
                });
            }
            // The clients stop, whatever happens.
            let _end = AbortOnDrop(&stop);
            let wait_for = |count: &AtomicUsize| {
                let deadline = Instant::now() + TEST_TIMEOUT;
                while count.load(Ordering::SeqCst) < CLIENTS && !stop.load(Ordering::SeqCst) {
                    assert!(Instant::now() < deadline, "the clients send no requests");
                    std::thread::sleep(Duration::from_millis(1));
                }
            };
            wait_for(&served);
            assert_eq!(here.graphql(&token, LOGOUT, json!({}))["data"]["logout"]["ok"], true);
            counts_here.store(true, Ordering::SeqCst);
            let acknowledged = Instant::now();
            std::thread::sleep(Duration::from_secs(1).saturating_sub(acknowledged.elapsed()));
            counts_there.store(true, Ordering::SeqCst);
            wait_for(&late);
        });
    }
    there.stop();
    here.stop();
}

/// Wakeups by the database arrive, also after the listening connection was cut.
#[tokio::test]
async fn postgres_wakeup_reaches_other_nodes() {
    if backend() != DbBackend::Postgres {
        return;
    }
    let app = TestApp::new().await;
    let config::Database::Server(url) = &app.app.config.database else { panic!("PostgreSQL is a server") };
    let db = app.app.db.writer();
    let listen = || Arc::new(PostgresNotify::new(url, DatabaseConnection::clone(db)).unwrap());
    let woken = Arc::new(Notify::new());
    let listening = tokio::spawn(listen().listen(Arc::clone(&woken)));
    assert_wakeup_arrives(&*listen(), &woken).await;
    let listeners = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'accountd listen'";
    db.execute_unprepared(listeners).await.unwrap();
    assert_wakeup_arrives(&*listen(), &woken).await;
    listening.abort();
}
