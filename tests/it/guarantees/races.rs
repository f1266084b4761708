//! Races on two nodes of one database. A few rounds of each by default; hundreds when `ACCOUNTD_TEST_SLOW` is set
//! (`make test-slow`).

mod administration;
mod login;
mod profile_update;
pub mod refresh;
mod transaction_conflict;

use accountd::limits::backoff::MAX_PENDING;
use accountd::store::{TenantScope, users};
use chrono::TimeDelta;
use serde_json::json;

use crate::support::{Actor, PASSWORD, TestApp};

/// The number of rounds: `many` in the slow profile, otherwise `few`.
#[expect(clippy::disallowed_methods, reason = "a switch for the person who runs the tests")]
pub fn rounds(few: usize, many: usize) -> usize {
    if std::env::var("ACCOUNTD_TEST_SLOW").is_ok() { many } else { few }
}

/// Two nodes on one database. The number of sessions ends none: on a slow machine, clients open hundreds before the
/// change that they race with.
pub async fn nodes() -> [TestApp; 2] {
    let app = TestApp::with(&[("ACCOUNTD_LIMITS__MAX_SESSIONS_PER_USER", "10000")]).await;
    let beside = app.second_node().await;
    [beside, app]
}

/// Runs two requests concurrently in random order, with a `head_start` that moves from the first to the second.
pub async fn race<A: Send + 'static, B: Send + 'static>(
    head_start: usize,
    one: impl Future<Output = A> + Send + 'static,
    other: impl Future<Output = B> + Send + 'static,
) -> (A, B) {
    let late = |turns: usize| async move {
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
    };
    let turns = head_start * 8;
    let one = tokio::spawn(async move {
        late(64_usize.saturating_sub(turns)).await;
        one.await
    });
    let other = tokio::spawn(async move {
        late(turns.min(64)).await;
        other.await
    });
    (one.await.unwrap(), other.await.unwrap())
}

fn set_roles(caller: &Actor, whose: &Actor, roles: &[&str]) -> impl Future<Output = Option<String>> + use<> {
    let (caller, input) = (caller.clone(), json!({ "userId": whose.id, "roles": roles }));
    async move {
        let answer = caller.mutate("setUserRoles", input, "errors { code }").await;
        answer.code().or_else(|| answer.payload_error("setUserRoles"))
    }
}

/// Z-5: two administrators remove each other's role on two nodes; one of them keeps it.
#[tokio::test(flavor = "multi_thread")]
async fn concurrent_mutual_demotion_leaves_one_administrator() {
    let [here, there] = nodes().await;
    let (root, eve) = (here.admin("root").await, here.admin("eve").await);
    for round in 0..rounds(6, 500) {
        let (root, eve) = (here.reconnect(&root), there.reconnect(&eve));
        let (one, other) = race(round % 9, set_roles(&root, &eve, &[]), set_roles(&eve, &root, &[])).await;
        let refused = |code: &Option<String>| matches!(code.as_deref(), Some("LAST_ADMIN" | "FORBIDDEN"));
        let (winner, loser) = match (&one, &other) {
            (None, code) if refused(code) => (here.reconnect(&root), &eve),
            (code, None) if refused(code) => (here.reconnect(&eve), &root),
            _ => panic!("{one:?}, {other:?}"),
        };
        let admins = users::count_active_admins(here.app.db.reader(), TenantScope::AllTenants).await.unwrap();
        assert_eq!(admins, 1);
        // The other node learns of it within 1 s; the next round needs both to be administrators on both nodes.
        retry_until_done(&winner, loser, &["admin"]).await;
        for node in [&here, &there] {
            for admin in [&root, &eve] {
                until_admitted(&node.reconnect(admin)).await;
            }
        }
    }
}

async fn retry_until_done(caller: &Actor, whose: &Actor, roles: &[&str]) {
    while set_roles(caller, whose, roles).await.is_some() {
        tokio::task::yield_now().await;
    }
}

async fn until_admitted(admin: &Actor) {
    while admin.send("{ users(first: 1) { nodes { id } } }", json!({})).await.code().is_some() {
        tokio::task::yield_now().await;
    }
}

/// A6: of many parallel guesses on two nodes a bounded number is verified; after a failure one, when the backoff is
/// over.
#[tokio::test(flavor = "multi_thread")]
async fn parallel_guesses_on_two_nodes_are_counted_first() {
    let app = TestApp::with(&[("ACCOUNTD_LIMITS__ENABLED", "true")]).await;
    let beside = app.second_node().await;
    app.user("ann").await;
    for round in 0..4 {
        let tried = guess_in_parallel([&app, &beside]).await;
        let most = if round == 0 { MAX_PENDING as usize } else { 1 };
        assert!((1..=most).contains(&tried), "round {round}: {tried}");
        app.clock.advance(TimeDelta::seconds(5));
    }
}

/// Attempts in progress are no failures, on any node.
#[tokio::test(flavor = "multi_thread")]
async fn parallel_correct_logins_on_two_nodes_succeed() {
    let app = TestApp::with(&[("ACCOUNTD_LIMITS__ENABLED", "true")]).await;
    let beside = app.second_node().await;
    app.user("ann").await;
    for round in 0..rounds(5, 100) {
        let logins: Vec<_> = (0..6)
            .map(|number| {
                let worker = [&app, &beside][number % 2].anonymous().at_address(&format!("192.0.2.{}", number + 1));
                let input = json!({ "username": "ann", "password": PASSWORD });
                tokio::spawn(async move { worker.mutate_retrying("login", input, "errors { code }").await })
            })
            .collect();
        for login in logins {
            assert_eq!(login.await.unwrap().payload_error("login"), None, "round {round}");
        }
    }
}

/// The number of parallel guesses on both nodes that are verified.
async fn guess_in_parallel(nodes: [&TestApp; 2]) -> usize {
    let guesses: Vec<_> = (0..rounds(60, 500))
        .map(|number| {
            let address = format!("10.{}.{}.1", number / 200, number % 200);
            let anonymous = nodes[number % 2].anonymous().at_address(&address);
            let input = json!({ "username": "ann", "password": "x" });
            tokio::spawn(async move { anonymous.mutate_retrying("login", input, "errors { code }").await })
        })
        .collect();
    let mut tried = 0;
    for guess in guesses {
        match guess.await.unwrap().payload_error("login").as_deref() {
            Some("INVALID_CREDENTIALS") => tried += 1,
            Some("TOO_MANY_ATTEMPTS") => {}
            other => panic!("{other:?}"),
        }
    }
    tried
}
