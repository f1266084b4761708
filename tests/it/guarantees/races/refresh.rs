//! Refreshes that race with each other, and with the end of a session.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use entity::session;
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use super::{nodes, race, rounds};
use crate::support::database::TestDatabase;
use crate::support::process::Process;
use crate::support::{Actor, PASSWORD, TestApp, TestResponse};

const TABS: usize = 50;

fn refresh_token(answer: &TestResponse) -> String {
    let tokens = &answer.data()["refresh"]["tokens"];
    tokens["refreshToken"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned()
}

/// S1, S3: fifty parallel refreshes on two nodes, repeatedly: one new pair each time, and never a second branch.
#[tokio::test(flavor = "multi_thread")]
async fn parallel_refresh_on_two_nodes_gives_one_new_pair() {
    let [here, there] = nodes().await;
    let ann = here.user("ann").await;
    let mut token = ann.refresh_token.clone().unwrap();
    let rounds = rounds(3, 200);
    for _ in 0..rounds {
        let tabs: Vec<_> = (0..TABS)
            .map(|tab| {
                let actor = if tab % 2 == 0 { here.reconnect(&ann) } else { there.reconnect(&ann) };
                let token = token.clone();
                tokio::spawn(async move { actor.refresh(&token).await })
            })
            .collect();
        let (mut successors, mut rotated) = (Vec::new(), 0);
        for tab in tabs {
            let answer = tab.await.unwrap();
            rotated += usize::from(answer.data()["refresh"]["outcome"] == "ROTATED");
            successors.push(refresh_token(&answer));
        }
        assert_eq!(rotated, 1, "one step");
        assert!(successors.iter().all(|successor| *successor == successors[0]), "one new pair");
        token = successors.remove(0);
    }
    let sessions = session::Entity::find().all(here.app.db.reader()).await.unwrap();
    let generations: Vec<i32> = sessions.iter().map(|session| session.generation).collect();
    assert_eq!(generations, [1 + i32::try_from(rounds).unwrap()]);
}

/// A cause that ends the session of `ann`, acknowledged by the node of `caller`.
#[derive(Clone, Copy, Debug)]
pub enum SessionEnd {
    Logout,
    PasswordChange,
    PasswordReset,
    Disable,
    Delete,
}

pub async fn end_session(ending: SessionEnd, root: Actor, ann: Actor) {
    let answer = match ending {
        SessionEnd::Logout => ann.send("mutation { logout { ok } }", json!({})).await,
        SessionEnd::PasswordChange => {
            let input = json!({ "currentPassword": PASSWORD, "newPassword": "another-horse-battery-8" });
            ann.mutate_retrying("updatePassword", input, "errors { code }").await
        }
        SessionEnd::PasswordReset => {
            let input = json!({ "userId": ann.id, "password": "another-horse-battery-8" });
            root.mutate_retrying("setUserPassword", input, "errors { code }").await
        }
        SessionEnd::Disable => {
            let input = json!({ "userId": ann.id, "status": "DISABLED" });
            root.mutate("setUserStatus", input, "errors { code }").await
        }
        SessionEnd::Delete => root.mutate("deleteUser", json!({ "userId": ann.id }), "errors { code }").await,
    };
    for payload in answer.data().as_object().unwrap().values() {
        assert!(payload["errors"].as_array().is_none_or(Vec::is_empty), "{ending:?}: {}", answer.text);
    }
}

/// S5: whichever is first, no token of either response is valid afterwards: here at once, on the other node within 1 s.
#[tokio::test(flavor = "multi_thread")]
async fn refresh_racing_the_session_end_does_not_revive_it() {
    let [here, there] = nodes().await;
    let root = here.admin("root").await;
    let endings = [
        SessionEnd::Logout,
        SessionEnd::PasswordChange,
        SessionEnd::PasswordReset,
        SessionEnd::Disable,
        SessionEnd::Delete,
    ];
    for round in 0..rounds(10, 1_000) {
        let ending = endings[round % endings.len()];
        let ann = here.user(&format!("ann-{round}")).await;
        let elsewhere = there.reconnect(&ann);
        let token = ann.refresh_token.clone().unwrap();
        let refreshing = async move { elsewhere.refresh(&token).await };
        let (answer, ()) =
            race(round / endings.len() % 9, refreshing, end_session(ending, root.clone(), ann.clone())).await;
        if answer.payload_error("refresh").is_none() {
            let renewed = ann.signed_in(&answer.data()["refresh"]);
            assert!(is_logged_out(&renewed).await, "{ending:?}");
            assert!(is_logged_out_soon(&there, &renewed).await, "{ending:?}");
            let again = there.reconnect(&ann).refresh(renewed.refresh_token.as_deref().unwrap()).await;
            assert_eq!(again.payload_error("refresh").as_deref(), Some("SESSION_ENDED"), "{ending:?}");
        }
        assert!(is_logged_out(&ann).await, "{ending:?}");
        assert!(is_logged_out_soon(&there, &ann).await, "{ending:?}");
    }
}

pub async fn is_logged_out(actor: &Actor) -> bool {
    actor.me_reason().await.as_deref() == Some("SESSION_ENDED")
}

pub async fn is_logged_out_soon(node: &TestApp, actor: &Actor) -> bool {
    let (actor, acknowledged) = (node.reconnect(actor), Instant::now());
    while acknowledged.elapsed() < Duration::from_secs(1) {
        if is_logged_out(&actor).await {
            return true;
        }
    }
    is_logged_out(&actor).await
}

/// S5: a pair issued during the removal of a role grants no more than the user's current permissions.
#[tokio::test(flavor = "multi_thread")]
async fn refresh_racing_a_demotion_restores_no_role() {
    let [here, there] = nodes().await;
    let root = here.admin("root").await;
    for round in 0..rounds(5, 200) {
        let eve = here.admin(&format!("eve-{round}")).await;
        let elsewhere = there.reconnect(&eve);
        let token = eve.refresh_token.clone().unwrap();
        let refreshing = async move { elsewhere.refresh(&token).await };
        let (answer, demoted) = race(round % 9, refreshing, super::set_roles(&root, &eve, &[])).await;
        assert_eq!(demoted, None);
        let renewed = eve.signed_in(&answer.data()["refresh"]);
        for actor in [&renewed, &eve] {
            let users = actor.send("{ users(first: 1) { nodes { id } } }", json!({})).await;
            assert_eq!(users.code().as_deref(), Some("FORBIDDEN"));
        }
    }
}

/// S3 on two processes.
#[tokio::test]
async fn parallel_refresh_on_two_processes_gives_one_new_pair() {
    // The log is not read meanwhile.
    let unlimited = [("ACCOUNTD_LIMITS__ENABLED", "false"), ("ACCOUNTD_LOG__FILTER", "off")];
    let here = Process::start(TestDatabase::migrated().await, &unlimited);
    let register = "mutation ($p: String!) { register(input: { username: \"ann\", password: $p }) {
        tokens { refreshToken } } }";
    let answer = here.graphql("", register, json!({ "p": PASSWORD }));
    let mut token = text(&answer["data"]["register"]["tokens"]["refreshToken"]);
    let there = here.second_node(&unlimited);
    let refresh = "mutation ($token: String) { refresh(input: { refreshToken: $token }) {
        outcome tokens { refreshToken } errors { code } } }";
    for _ in 0..rounds(2, 200) {
        let barrier = Barrier::new(TABS);
        let answers: Vec<Value> = std::thread::scope(|scope| {
            let tabs: Vec<_> = (0..TABS)
                .map(|tab| {
                    let (node, token, barrier) = (if tab % 2 == 0 { &here } else { &there }, &token, &barrier);
                    scope.spawn(move || {
                        barrier.wait();
                        node.graphql("", refresh, json!({ "token": token }))["data"]["refresh"].clone()
                    })
                })
                .collect();
            tabs.into_iter().map(|tab| tab.join().unwrap()).collect()
        });
        assert_eq!(answers.iter().filter(|answer| answer["outcome"] == "ROTATED").count(), 1, "{answers:?}");
        let successors: Vec<String> = answers.iter().map(|answer| text(&answer["tokens"]["refreshToken"])).collect();
        assert!(successors.iter().all(|successor| *successor == successors[0]), "{successors:?}");
        token = successors[0].clone();
    }
    there.stop();
    here.stop();
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no token: {value}")).to_owned()
}
