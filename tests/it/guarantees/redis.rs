//! Two nodes that share a Redis, and their behavior without it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use accountd::cache::wakeup::PeerWakeup;
use accountd::cache::wakeup::redis::RedisPubSub;
use accountd::limits::backoff::MAX_PENDING;
use accountd::redis::SharedRedis;
use axum::http::Method;
use serde_json::json;
use tokio::sync::Notify;

use super::races::refresh::is_logged_out_soon;
use crate::support::redis::Redis;
use crate::support::{Actor, TEST_TIMEOUT, TestApp};

const BURST: usize = 10;

async fn node(url: &str) -> TestApp {
    TestApp::with(&[("ACCOUNTD_LIMITS__ENABLED", "true"), ("ACCOUNTD_REDIS_URL", url)]).await
}

/// The number of wrong logins that were verified; the address limit refused the others.
async fn admitted_attempts(actor: &Actor, logins: usize) -> usize {
    let mut count = 0;
    for _ in 0..logins {
        // Unknown names, so that only the address limit refuses.
        static NAMES: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let name = format!("nobody-{}", NAMES.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        let answer = actor.json(Method::POST, "/login", &json!({ "username": name, "password": "x" })).await;
        match answer.status.as_u16() {
            401 => count += 1,
            429 => {}
            status => panic!("{status}: {}", answer.text),
        }
    }
    count
}

/// A10: two nodes together allow no more than one alone.
#[tokio::test]
async fn redis_nodes_count_attempts_per_address_together() {
    let Some(redis) = Redis::start() else { return };
    let here = node(&redis.url()).await;
    let there = here.second_node().await;
    let (at_here, at_there) = (here.anonymous().at_address("192.0.2.1"), there.anonymous().at_address("192.0.2.1"));
    let mut sum = admitted_attempts(&at_here, BURST / 2).await;
    sum += admitted_attempts(&at_there, BURST).await;
    sum += admitted_attempts(&at_here, BURST).await;
    assert_eq!(sum, BURST);
    assert_eq!(
        admitted_attempts(&there.anonymous().at_address("192.0.2.2"), 1).await,
        1,
        "another address has its own"
    );
    // Right passwords take nothing from the bucket.
    here.clock.advance(chrono::TimeDelta::minutes(10));
    there.app.db.ping().await.unwrap();
    assert_eq!(admitted_attempts(&at_there, 1).await, 1, "with time it is full again");
}

/// The response to a login of this name: the seconds to wait, or 0 if it was verified.
async fn wait(node: &TestApp, name: &str) -> u64 {
    let input = json!({ "username": name, "password": "x" });
    let answer = node.anonymous().mutate_retrying("login", input, "errors { code retryAfter }").await;
    let error = &answer.data()["login"]["errors"][0];
    match error["code"].as_str() {
        Some("INVALID_CREDENTIALS") => 0,
        Some("TOO_MANY_ATTEMPTS") => error["retryAfter"].as_u64().unwrap(),
        _ => panic!("{}", answer.text),
    }
}

/// A10, B5: unknown names have one backoff on all nodes, like users.
#[tokio::test]
async fn redis_nodes_count_attempts_per_name_together() {
    let Some(mut redis) = Redis::start() else { return };
    let here = node(&redis.url()).await;
    let there = here.second_node().await;
    here.user("ann").await;
    for (number, delay) in [1, 1, 3, 3, 3].into_iter().enumerate() {
        let (this, other) = if number % 2 == 0 { (&here, &there) } else { (&there, &here) };
        for name in ["ann", "nobody"] {
            assert_eq!(wait(this, name).await, 0, "{name}, attempt {number}");
            assert_eq!((wait(other, name).await, wait(this, name).await), (delay, delay), "{name}, attempt {number}");
        }
        here.clock.advance(chrono::TimeDelta::seconds(delay.try_into().unwrap()));
    }
    // This node still has the state that Redis lost.
    redis.flush();
    for expected in [0, 3] {
        assert_eq!([wait(&here, "ann").await, wait(&here, "nobody").await], [expected; 2]);
    }
    assert_eq!([wait(&there, "ann").await, wait(&there, "nobody").await], [3; 2], "and says so");
    redis.end();
    here.clock.advance(chrono::TimeDelta::seconds(3));
    for expected in [0, 3] {
        assert_eq!([wait(&here, "ann").await, wait(&here, "nobody").await], [expected; 2]);
    }
}

/// A6: of many parallel guesses on two nodes a bounded number is verified, and one after a failure.
#[tokio::test(flavor = "multi_thread")]
async fn redis_parallel_guesses_of_unknown_name_are_counted_first() {
    let Some(redis) = Redis::start() else { return };
    let here = Arc::new(node(&redis.url()).await);
    let there = Arc::new(here.second_node().await);
    // Both are connected when the load starts: on a loaded machine that may take longer than their Redis timeout.
    assert_eq!((wait(&here, "somebody").await, wait(&there, "somebody").await), (0, 1));
    for most in [MAX_PENDING as usize, 1, 1] {
        let guesses: Vec<_> = (0..16)
            .map(|number| {
                let node = Arc::clone(if number % 2 == 0 { &here } else { &there });
                tokio::spawn(async move { wait(&node, "nobody").await })
            })
            .collect();
        let mut tried = 0;
        for guess in guesses {
            tried += usize::from(guess.await.unwrap() == 0);
        }
        assert!((1..=most).contains(&tried), "{tried} of at most {most}");
        here.clock.advance(chrono::TimeDelta::seconds(5));
    }
}

/// A10: a successful login releases its attempt, on any node.
#[tokio::test]
async fn redis_successful_login_uses_no_attempt() {
    let Some(redis) = Redis::start() else { return };
    let here = node(&redis.url()).await;
    let there = here.second_node().await;
    here.user("ann").await;
    // The route itself allows twenty calls a minute.
    for _ in 0..BURST / 2 {
        for node in [&here, &there] {
            let login = json!({ "username": "ann", "password": crate::support::PASSWORD });
            let answer = node.anonymous().at_address("192.0.2.1").json(Method::POST, "/login", &login).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
    }
    assert_eq!(admitted_attempts(&there.anonymous().at_address("192.0.2.1"), BURST).await, BURST);
}

/// R10: without Redis, and after it lost its data, each node counts locally, and no client sees an error.
#[tokio::test]
async fn nodes_count_locally_when_redis_is_down_or_emptied() {
    let Some(redis) = Redis::start() else { return };
    let app = node(&redis.url()).await;
    let actor = app.anonymous().at_address("192.0.2.1");
    assert_eq!(admitted_attempts(&actor, BURST / 2).await, BURST / 2);
    let mut redis = redis.replace_with_empty();
    assert_eq!(admitted_attempts(&actor, BURST).await, BURST - BURST / 2, "its own count continues");
    redis.end();
    assert_eq!(admitted_attempts(&actor, 1).await, 0);
    assert_eq!(admitted_attempts(&app.anonymous().at_address("192.0.2.2"), BURST + 1).await, BURST);
    let ann = app.user("ann").await;
    assert_eq!(ann.me_code().await, None);
}

/// R10: a Redis that accepts requests and responds to none delays one request at intervals, and disables no limit.
#[tokio::test]
async fn hanging_redis_does_not_block_nodes() {
    let Some(redis) = Redis::start() else { return };
    let here = node(&redis.url()).await;
    let there = here.second_node().await;
    let ann = here.user("ann").await;
    assert_eq!(admitted_attempts(&here.anonymous().at_address("192.0.2.1"), 1).await, 1);
    // The usual time of this machine without any wait; earlier attempts are excluded.
    let begun = Instant::now();
    assert_eq!(admitted_attempts(&here.anonymous().at_address("192.0.2.9"), BURST + 10).await, BURST);
    let usual = begun.elapsed();
    redis.freeze(true);
    let begun = Instant::now();
    assert_eq!(
        admitted_attempts(&here.anonymous().at_address("192.0.2.1"), BURST + 10).await,
        BURST - 1,
        "its own count continues"
    );
    // A quarter of a second for each of those would be five seconds more.
    assert!(begun.elapsed() < 3 * usual + Duration::from_millis(2_500), "{:?}, not {usual:?}", begun.elapsed());
    // Revocations and their change counters are in the database.
    assert_eq!(there.reconnect(&ann).me_code().await, None);
    ann.send("mutation { logout { ok } }", json!({})).await.data();
    assert!(is_logged_out_soon(&there, &ann).await, "the logout does not apply there");
    redis.freeze(false);
}

/// R10: no server has ever listened there.
#[tokio::test]
async fn node_starts_without_its_configured_redis() {
    let app = node("redis://127.0.0.1:1").await;
    let ann = app.user("ann").await;
    assert_eq!(ann.me_code().await, None);
    assert_eq!(admitted_attempts(&app.anonymous().at_address("192.0.2.1"), BURST + 1).await, BURST);
}

/// Wakeups reach the listeners, also after a Redis outage.
#[tokio::test]
async fn redis_wakeup_reaches_other_nodes() {
    let Some(redis) = Redis::start() else { return };
    let publish = |url: String| Arc::new(RedisPubSub::new(Arc::new(SharedRedis::new(&url.into()).unwrap())));
    let (sender, listener) = (publish(redis.url()), publish(redis.url()));
    let woken = Arc::new(Notify::new());
    let listening = tokio::spawn(listener.listen(Arc::clone(&woken)));
    assert_wakeup_arrives(&*sender, &woken).await;
    let _redis = redis.replace_with_empty();
    assert_wakeup_arrives(&*sender, &woken).await;
    listening.abort();
}

/// Sends until a wakeup arrives that cannot be an earlier one.
pub async fn assert_wakeup_arrives(sender: &impl PeerWakeup, woken: &Notify) {
    let hearing = async {
        for _ in 0..2 {
            loop {
                sender.send().await.ok();
                if tokio::time::timeout(Duration::from_millis(100), woken.notified()).await.is_ok() {
                    break;
                }
            }
        }
    };
    tokio::time::timeout(TEST_TIMEOUT, hearing).await.expect("a wakeup arrives");
}
