//! Races: what many ask for at once, on two nodes of one database. A few rounds of each are run; all of them, and
//! hundreds of rounds, when `ACCOUNTD_TEST_SLOW` is set (`make test-slow`).

mod change;
mod conflict;
mod login;
pub mod refresh;

use accountd::security::throttle::MAX_PENDING;
use accountd::store::{Scope, users};
use chrono::TimeDelta;
use serde_json::json;

use crate::support::{Actor, PASSWORD, TestApp};

/// So many rounds in the slow profile, and a few otherwise.
#[expect(clippy::disallowed_methods, reason = "a switch for the person who runs the tests")]
pub fn rounds(few: usize, many: usize) -> usize {
    if std::env::var("ACCOUNTD_TEST_SLOW").is_ok() { many } else { few }
}

/// Two nodes on one database.
pub async fn nodes() -> [TestApp; 2] {
    let app = TestApp::new().await;
    let beside = app.beside().await;
    [beside, app]
}

/// Runs two requests at the same time; which one is first is up to chance, helped by a `head_start` that goes from the
/// first to the second.
pub async fn meet<A: Send + 'static, B: Send + 'static>(
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
        answer.code().or_else(|| answer.refusal("setUserRoles"))
    }
}

/// Z-5: two administrators take the role from each other on two nodes; one of them keeps it.
#[tokio::test(flavor = "multi_thread")]
async fn two_administrators_who_demote_each_other_leave_one() {
    let [here, there] = nodes().await;
    let (root, eve) = (here.admin("root").await, here.admin("eve").await);
    for round in 0..rounds(6, 500) {
        let (root, eve) = (here.again(&root), there.again(&eve));
        let (one, other) = meet(round % 9, set_roles(&root, &eve, &[]), set_roles(&eve, &root, &[])).await;
        let refused = |code: &Option<String>| matches!(code.as_deref(), Some("LAST_ADMIN" | "FORBIDDEN"));
        let (winner, loser) = match (&one, &other) {
            (None, code) if refused(code) => (here.again(&root), &eve),
            (code, None) if refused(code) => (here.again(&eve), &root),
            _ => panic!("{one:?}, {other:?}"),
        };
        let admins = users::count_active_admins(here.app.db.reader(), Scope::Installation).await.unwrap();
        assert_eq!(admins, 1);
        // The other node hears of it within a second; the next round needs both to be administrators everywhere.
        until_done(&winner, loser, &["admin"]).await;
        for node in [&here, &there] {
            for admin in [&root, &eve] {
                until_admitted(&node.again(admin)).await;
            }
        }
    }
}

async fn until_done(caller: &Actor, whose: &Actor, roles: &[&str]) {
    while set_roles(caller, whose, roles).await.is_some() {
        tokio::task::yield_now().await;
    }
}

async fn until_admitted(admin: &Actor) {
    while admin.send("{ users(first: 1) { nodes { id } } }", json!({})).await.code().is_some() {
        tokio::task::yield_now().await;
    }
}

/// A6: of many who guess at once on two nodes a bounded number gets to try; after a failure one, when the wait is over.
#[tokio::test(flavor = "multi_thread")]
async fn parallel_guesses_on_two_nodes_are_counted_before_they_are_tried() {
    let app = TestApp::with(&[("ACCOUNTD_LIMITS__ENABLED", "true")]).await;
    let beside = app.beside().await;
    app.user("ann").await;
    for round in 0..4 {
        let tried = guess_at_once([&app, &beside]).await;
        let most = if round == 0 { MAX_PENDING as usize } else { 1 };
        assert!((1..=most).contains(&tried), "round {round}: {tried}");
        app.clock.advance(TimeDelta::seconds(5));
    }
}

/// Attempts under way are no failures, on whichever node they are.
#[tokio::test(flavor = "multi_thread")]
async fn right_logins_at_once_on_two_nodes_all_get_in() {
    let app = TestApp::with(&[("ACCOUNTD_LIMITS__ENABLED", "true")]).await;
    let beside = app.beside().await;
    app.user("ann").await;
    for round in 0..rounds(5, 100) {
        let crowd: Vec<_> = (0..6)
            .map(|number| {
                let worker = [&app, &beside][number % 2].anonymous().at(&format!("192.0.2.{}", number + 1));
                let input = json!({ "username": "ann", "password": PASSWORD });
                tokio::spawn(async move { worker.insist("login", input, "errors { code }").await })
            })
            .collect();
        for login in crowd {
            assert_eq!(login.await.unwrap().refusal("login"), None, "round {round}");
        }
    }
}

/// How many of those who guess at once on both nodes get to try.
async fn guess_at_once(nodes: [&TestApp; 2]) -> usize {
    let guesses: Vec<_> = (0..rounds(60, 500))
        .map(|number| {
            let address = format!("10.{}.{}.1", number / 200, number % 200);
            let stranger = nodes[number % 2].anonymous().at(&address);
            let input = json!({ "username": "ann", "password": "x" });
            tokio::spawn(async move { stranger.insist("login", input, "errors { code }").await })
        })
        .collect();
    let mut tried = 0;
    for guess in guesses {
        match guess.await.unwrap().refusal("login").as_deref() {
            Some("INVALID_CREDENTIALS") => tried += 1,
            Some("TOO_MANY_ATTEMPTS") => {}
            other => panic!("{other:?}"),
        }
    }
    tried
}
