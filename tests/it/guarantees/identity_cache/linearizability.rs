//! R15: linearizability: concurrent requests and changes have one order in which every response is right, and which
//! respects real time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use serde_json::json;

use super::concurrent_clients::mutate;
use crate::support::polling::until;
use crate::support::{Actor, TestApp};

const CLIENTS: usize = 16;

/// The number of changes by the writer.
const CHANGES: usize = 8;

/// Start and end of a request, and its result: whether the caller is served.
#[derive(Clone, Copy, Debug)]
struct Span {
    begun: Instant,
    ended: Instant,
    served: bool,
}

/// A read without place in any order. Changes are sequential; each read is placed behind the earliest change that it
/// can have seen, which leaves the most room to later reads.
fn violations(changes: &[Span], reads: &[Span]) -> Option<Span> {
    let mut reads = reads.to_vec();
    reads.sort_by_key(|read| read.begun);
    let mut placed: Vec<(Instant, usize)> = Vec::new();
    for read in reads {
        let over = changes.iter().take_while(|change| change.ended < read.begun).count().saturating_sub(1);
        let seen = placed.iter().filter(|(ended, _)| *ended < read.begun).map(|(_, position)| *position).max();
        let least = seen.unwrap_or_default().max(over);
        let position = (least..changes.len()).find(|position| changes[*position].served == read.served);
        match position.filter(|position| changes[*position].begun < read.ended) {
            Some(position) => placed.push((read.ended, position)),
            None => return Some(read),
        }
    }
    None
}

/// 64 clients send `query` as `actor` while `change` repeatedly grants and removes access.
async fn is_linearizable(actor: &Actor, query: &'static str, first: Span, changes: usize, change: impl AsyncFn(bool)) {
    let (count, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (actor, count, stop) = (actor.clone(), Arc::clone(&count), Arc::clone(&stop));
            tokio::spawn(async move {
                let mut reads = Vec::new();
                while !stop.load(Ordering::SeqCst) {
                    let begun = Instant::now();
                    let code = actor.send(query, json!({})).await.code();
                    let served = match code.as_deref() {
                        None => true,
                        Some("UNAUTHENTICATED" | "FORBIDDEN") => false,
                        // The clients may occupy every connection for a while.
                        Some(_) => continue,
                    };
                    reads.push(Span { begun, ended: Instant::now(), served });
                    count.fetch_add(1, Ordering::SeqCst);
                }
                reads
            })
        })
        .collect();
    let mut written = vec![first];
    for number in 0..=changes {
        let before = count.load(Ordering::SeqCst);
        until("the clients send requests", async || count.load(Ordering::SeqCst) > before + CLIENTS).await;
        if number < changes {
            let (begun, served) = (Instant::now(), number % 2 == 1);
            change(served).await;
            written.push(Span { begun, ended: Instant::now(), served });
        }
    }
    stop.store(true, Ordering::SeqCst);
    let mut reads = Vec::new();
    for client in clients {
        reads.extend(client.await.unwrap());
    }
    assert!(reads.iter().any(|read| read.served) && reads.iter().any(|read| !read.served));
    let misplaced = violations(&written, &reads);
    assert!(misplaced.is_none(), "{misplaced:?} of {} reads, {written:?}", reads.len());
}

fn served_from_now_on() -> Span {
    let now = Instant::now();
    Span { begun: now, ended: now, served: true }
}

#[tokio::test(flavor = "multi_thread")]
async fn role_permission_changes_are_linearizable() {
    let app = TestApp::new().await;
    let (root, ann) = (app.admin("root").await, app.admin("ann").await);
    let set = async |served: bool| {
        let roles = if served { json!(["admin"]) } else { json!([]) };
        mutate(&root, "setUserRoles", json!({ "userId": ann.id, "roles": roles })).await;
    };
    is_linearizable(&ann, "{ users(first: 1) { nodes { id } } }", served_from_now_on(), CHANGES, set).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn token_acceptance_is_linearizable() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let me = "{ me { id } }";
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let logout = async |_| {
        mutate(&ann, "logout", json!({})).await;
    };
    is_linearizable(&ann, me, served_from_now_on(), 1, logout).await;
    let disable = async |_| {
        let input = json!({ "userId": bob.id, "status": "DISABLED" });
        mutate(&root, "setUserStatus", input).await;
    };
    is_linearizable(&bob, me, served_from_now_on(), 1, disable).await;
}

/// The check itself.
#[test]
fn linearizability_check_finds_violations() {
    let now = Instant::now();
    let span = |begun: u64, ended: u64, served| {
        let at = |millis| now + std::time::Duration::from_millis(millis);
        Span { begun: at(begun), ended: at(ended), served }
    };
    // Granted from the start; removed between 10 and 20; granted again between 40 and 50.
    let changes = [span(0, 0, true), span(10, 20, false), span(40, 50, true)];
    let is_found = |reads: &[Span]| violations(&changes, reads).is_some();
    for fine in [
        &[span(1, 2, true), span(21, 22, false), span(51, 52, true)][..],
        &[span(11, 12, true), span(12, 13, true), span(14, 15, false)],
        &[span(11, 30, true), span(12, 13, false)],
        &[span(41, 42, false), span(43, 44, true)],
    ] {
        assert!(!is_found(fine), "{fine:?}");
    }
    for wrong in [
        &[span(21, 22, true)][..],
        &[span(1, 2, false)],
        &[span(11, 12, false), span(13, 14, true)],
        &[span(41, 42, true), span(43, 44, false)],
        &[span(51, 52, false)],
    ] {
        assert!(is_found(wrong), "{wrong:?}");
    }
}
