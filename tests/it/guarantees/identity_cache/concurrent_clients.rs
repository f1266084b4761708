//! 64 clients send requests without pause during a change of their permissions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::is_cached;
use crate::support::polling::until;
use crate::support::{Actor, PASSWORD, TestApp};

const CLIENTS: usize = 64;

/// The responses that the clients observed.
#[derive(Default)]
struct Observed {
    served: AtomicUsize,
    refused: AtomicUsize,
    /// Successful requests that began after the change applied.
    late: AtomicUsize,
}

/// Stops the clients when dropped.
struct AbortOnDrop(Arc<AtomicBool>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// 64 clients send `query` as `actor` during the change; no request that begins `grace` after its acknowledgement, or
/// later, may succeed.
async fn request_in_loop(actor: &Actor, query: &'static str, grace: Duration, change: impl Future<Output = ()>) {
    let (seen, acknowledged) = (Arc::new(Observed::default()), Arc::new(AtomicBool::new(false)));
    let stop: Arc<AtomicBool> = Arc::default();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (actor, seen, acknowledged) = (actor.clone(), Arc::clone(&seen), Arc::clone(&acknowledged));
            let stop = Arc::clone(&stop);
            tokio::spawn(async move {
                while !stop.load(Ordering::SeqCst) {
                    let is_late = acknowledged.load(Ordering::SeqCst);
                    let answer = actor.send(query, json!({})).await;
                    let is_served = answer.json().get("errors").is_none();
                    let count = if is_served { &seen.served } else { &seen.refused };
                    count.fetch_add(1, Ordering::SeqCst);
                    if is_late {
                        assert!(!is_served, "served after the change: {}", answer.text);
                        seen.late.fetch_add(1, Ordering::SeqCst);
                    }
                }
            })
        })
        .collect();
    // The clients stop, whatever happens.
    let end = AbortOnDrop(Arc::clone(&stop));
    until("the clients are served", async || seen.served.load(Ordering::SeqCst) > CLIENTS).await;
    change.await;
    let begun = Instant::now();
    while begun.elapsed() < grace {
        tokio::task::yield_now().await;
    }
    acknowledged.store(true, Ordering::SeqCst);
    until("the clients are refused", async || seen.late.load(Ordering::SeqCst) > CLIENTS).await;
    drop(end);
    for client in clients {
        client.await.unwrap();
    }
}

/// Makes the change, with retries: the clients may occupy every connection for a while.
pub async fn mutate(actor: &Actor, field: &str, input: Value) {
    let answer = actor.mutate_retrying(field, input, "errors { code }").await;
    assert!(answer.data()[field]["errors"].as_array().is_some_and(Vec::is_empty), "{}", answer.text);
}

const ME: &str = "{ me { id } }";
const USERS: &str = "{ users(first: 1) { nodes { id } } }";

/// At once.
const SAME_NODE: Duration = Duration::ZERO;

/// The promise for other nodes.
const OTHER_NODE: Duration = Duration::from_secs(1);

/// S8
#[tokio::test(flavor = "multi_thread")]
async fn request_after_logout_is_refused_under_load() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    request_in_loop(&ann, ME, SAME_NODE, async {
        mutate(&ann, "logout", json!({})).await;
    })
    .await;
}

/// Z-4
#[tokio::test(flavor = "multi_thread")]
async fn request_after_role_removal_is_refused_under_load() {
    let app = TestApp::new().await;
    let (root, ann) = (app.admin("root").await, app.admin("ann").await);
    request_in_loop(&ann, USERS, SAME_NODE, async {
        mutate(&root, "setUserRoles", json!({ "userId": ann.id, "roles": [] })).await;
    })
    .await;
}

/// Z-4: a change of a role's permissions applies to all holders.
#[tokio::test(flavor = "multi_thread")]
async fn request_after_role_narrowing_is_refused_under_load() {
    let app = TestApp::new().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    let role = |permissions| json!({ "name": "helper", "permissions": permissions });
    mutate(&root, "saveRole", role(json!(["USERS_READ"]))).await;
    mutate(&root, "setUserRoles", json!({ "userId": ann.id, "roles": ["helper"] })).await;
    request_in_loop(&ann, USERS, SAME_NODE, async {
        mutate(&root, "saveRole", role(json!([]))).await;
    })
    .await;
}

/// S8, S13
#[tokio::test(flavor = "multi_thread")]
async fn request_after_disabling_the_user_is_refused_under_load() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let (ann, bob, eve) = (app.user("ann").await, app.user("bob").await, app.user("eve").await);
    request_in_loop(&ann, ME, SAME_NODE, async {
        mutate(&root, "setUserStatus", json!({ "userId": ann.id, "status": "DISABLED" })).await;
    })
    .await;
    request_in_loop(&bob, ME, SAME_NODE, async {
        mutate(&root, "deleteUser", json!({ "userId": bob.id })).await;
    })
    .await;
    request_in_loop(&eve, ME, SAME_NODE, async {
        let input = json!({ "currentPassword": PASSWORD, "newPassword": "another-horse-battery-8" });
        mutate(&eve, "updatePassword", input).await;
    })
    .await;
}

/// S8
#[tokio::test(flavor = "multi_thread")]
async fn request_after_api_token_revocation_is_refused_under_load() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let (id, robot) = ann.api_token(&[]).await;
    // Its first use is recorded, and costs each client a write.
    is_cached(&app, "ann", &robot).await;
    request_in_loop(&robot, ME, SAME_NODE, async {
        mutate(&ann, "revokeApiToken", json!({ "apiTokenId": id })).await;
    })
    .await;
}

/// S9, Z-4: another node on the same database.
#[tokio::test(flavor = "multi_thread")]
async fn change_on_another_node_applies_within_1_s_under_load() {
    let app = TestApp::new().await;
    let (root, ann, eve) = (app.admin("root").await, app.user("ann").await, app.admin("eve").await);
    let node = app.second_node().await;
    let (there, eve_there) = (node.reconnect(&ann), node.reconnect(&eve));
    request_in_loop(&there, ME, OTHER_NODE, async {
        mutate(&ann, "logout", json!({})).await;
    })
    .await;
    request_in_loop(&eve_there, USERS, OTHER_NODE, async {
        mutate(&root, "setUserRoles", json!({ "userId": eve.id, "roles": [] })).await;
    })
    .await;
}
