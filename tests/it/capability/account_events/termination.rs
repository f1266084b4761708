//! The end of a subscription: by token, session, user, or server; S22.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::json;

use super::{LOGOUT, kind};
use crate::support::server::{Server, TEST_TIMEOUT};
use crate::support::subscriber::{EVENTS, Subscriber, WebSocketClient, sse_request};
use crate::support::{PASSWORD, TestApp};

/// The promised maximum.
const SECOND: Duration = Duration::from_secs(1);

/// Streams do not use the identity cache of requests.
async fn without_cache() -> Server {
    Server::with_config(|config| config.cache.max_callers = 0).await
}

/// Also a socket without any subscription.
#[tokio::test]
async fn expired_token_closes_the_socket_with_4403() {
    let server = without_cache().await;
    let ann = server.app.user("ann").await;
    let mut idle = WebSocketClient::authenticated(server.address, ann.token.as_ref().unwrap()).await;
    let both = Subscriber::over_both(server.address, &ann).await;
    // Including the leeway.
    server.app.clock.advance(TimeDelta::seconds(905));
    assert_eq!(idle.next_message().await, Err(4403));
    for subscriber in both {
        subscriber.assert_aborted(4403).await;
    }
    // The same token is refused at once, and a fresh one is accepted.
    let mut late = WebSocketClient::open(server.address).await;
    late.init(json!({ "authorization": format!("Bearer {}", ann.token.as_ref().unwrap()) })).await;
    assert_eq!(late.next_message().await, Err(4403));
    let renewed = ann.refresh(ann.refresh_token.as_ref().unwrap()).await.data();
    let ann = ann.with_token(renewed["refresh"]["tokens"]["accessToken"].as_str().unwrap());
    Subscriber::over_both(server.address, &ann).await;
}

/// S9 for subscribers. On a busy machine the end may come later than promised: then the test checks again, and reports
/// it.
#[tokio::test]
async fn logout_on_another_node_ends_the_subscription_within_1_s() {
    let here = TestApp::new().await;
    let there = Server::serving(here.second_node().await).await;
    for round in 0..20 {
        let ann = here.user(&format!("ann-{round}")).await;
        let both = Subscriber::over_both(there.address, &there.app.reconnect(&ann)).await;
        let mut idle = WebSocketClient::authenticated(there.address, ann.token.as_ref().unwrap()).await;
        ann.send(LOGOUT, json!({})).await.data();
        let acknowledged = Instant::now();
        for mut subscriber in both {
            let event = subscriber.next_event().await;
            assert_eq!((kind(&event), event["current"].as_bool()), ("SessionEnded", Some(true)));
            subscriber.assert_completed(4401).await;
        }
        assert_eq!(idle.next_message().await, Err(4401));
        let took = acknowledged.elapsed();
        if took < SECOND {
            return;
        }
        println!("round {round}: {took:?} until a logout ended a stream at the other node");
    }
    panic!("it never ends within a second");
}

#[tokio::test]
async fn disabled_or_deleted_user_ends_the_subscription() {
    let server = Server::new().await;
    let admin = server.app.admin("root").await;
    for (name, reason) in [("ann", "ACCOUNT_DISABLED"), ("bob", "REVOKED")] {
        let actor = server.app.user(name).await;
        let both = Subscriber::over_both(server.address, &actor).await;
        match name {
            "ann" => {
                let input = json!({ "userId": actor.id, "status": "DISABLED" });
                admin.mutate_ok("setUserStatus", input, "user { id }").await;
            }
            _ => drop(admin.mutate_ok("deleteUser", json!({ "userId": actor.id }), "deletedUserId").await),
        }
        for mut subscriber in both {
            let event = subscriber.next_event().await;
            assert_eq!(
                (kind(&event), event["current"].as_bool(), &event["reason"]),
                ("SessionEnded", Some(true), &json!(reason))
            );
            subscriber.assert_completed(4401).await;
        }
        let mut again = WebSocketClient::open(server.address).await;
        again.init(json!({ "authorization": format!("Bearer {}", actor.token.as_ref().unwrap()) })).await;
        assert_eq!(again.next_message().await, Err(4401));
    }
}

/// Changes without notification are seen when invalidations cannot arrive, because then the database is read; not
/// before, because then it is not read.
#[tokio::test]
async fn session_monitor_reads_the_database_only_when_stale() {
    let server = without_cache().await;
    let ann = server.app.user("ann").await;
    let db = server.app.app.db.writer();
    let mut socket = WebSocketClient::authenticated(server.address, ann.token.as_ref().unwrap()).await;
    let Subscriber::WebSocket(mut subscriber) = Subscriber::over_websocket(server.address, &ann).await else {
        unreachable!()
    };
    let rename = async |shown: &str| {
        entity::user::Entity::update_many()
            .col_expr(entity::user::Column::DisplayName, Expr::value(shown))
            .filter(entity::user::Column::UsernameKey.eq("ann"))
            .exec(db)
            .await
            .unwrap();
    };
    let log = server.app.app.db.invalidation_log();
    let mut shown = String::new();
    for round in 0.. {
        // All earlier changes have been read.
        while !subscriber.is_silent(SECOND).await {}
        shown = format!("by hand {round}");
        rename(&shown).await;
        // On a busy machine invalidations may be late: then the database is read, as intended.
        let invalidations_arrive = async {
            let begun = Instant::now();
            while log.is_fresh() && begun.elapsed() < SECOND * 2 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            log.is_fresh()
        };
        let (is_silent, invalidations_arrived) = tokio::join!(subscriber.is_silent(SECOND * 2), invalidations_arrive);
        if is_silent {
            break;
        }
        assert!(!invalidations_arrived, "the database was read without any change");
        println!("round {round}: the invalidations were late");
    }
    db.execute_unprepared("ALTER TABLE change_counter RENAME TO hidden_counter").await.unwrap();
    let event = subscriber.receive().await;
    assert_eq!(event["payload"]["data"]["accountEvents"]["user"]["displayName"], shown, "{event}");
    rename("by hand again").await;
    let event = subscriber.receive().await;
    assert_eq!(event["payload"]["data"]["accountEvents"]["user"]["displayName"], "by hand again", "{event}");
    // Without the database the state is unknown: clients reconnect.
    db.execute_unprepared("ALTER TABLE session RENAME TO hidden_session").await.unwrap();
    assert_eq!((subscriber.next_message().await, socket.next_message().await), (Err(1013), Err(1013)));
    // The database is reused by other tests.
    db.execute_unprepared("ALTER TABLE hidden_session RENAME TO session").await.unwrap();
    db.execute_unprepared("ALTER TABLE hidden_counter RENAME TO change_counter").await.unwrap();
}

/// R12: shutdown does not wait for open-ended subscriptions.
#[tokio::test]
async fn shutdown_closes_subscriptions_for_reconnect() {
    let mut server = Server::new().await;
    let ann = server.app.user("ann").await;
    let mut ungreeted = WebSocketClient::open(server.address).await;
    let both = Subscriber::over_both(server.address, &ann).await;
    server.stop();
    for subscriber in both {
        subscriber.assert_aborted(1001).await;
    }
    assert_eq!(ungreeted.next_message().await, Err(1001));
    server.wait_for_end().await;
}

/// Streams of one user leave those of others alone, and release their slots.
#[tokio::test]
async fn subscriptions_per_user_are_limited() {
    let app = TestApp::with(&[("ACCOUNTD_GRAPHQL__MAX_SUBSCRIPTIONS_PER_USER", "2")]).await;
    let server = Server::serving(app).await;
    let (ann, bob) = (server.app.user("ann").await, server.app.user("bob").await);
    let mut both = Vec::from(Subscriber::over_both(server.address, &ann).await);
    let again = server.app.login("ann", PASSWORD).await;
    let mut socket = WebSocketClient::authenticated(server.address, again.token.as_ref().unwrap()).await;
    socket.subscribe("2", EVENTS).await;
    let refused = socket.receive().await;
    assert_eq!((&refused["type"], &refused["id"]), (&json!("error"), &json!("2")));
    assert_eq!(refused["payload"][0]["extensions"]["code"], "TOO_MANY_SUBSCRIPTIONS", "{refused}");
    let request = sse_request(again.token.as_ref().unwrap(), EVENTS);
    let answer = server.exchange(&request.replacen("Host: a", "Host: a\r\nConnection: close", 1)).await;
    assert!(answer.starts_with("HTTP/1.1 429") && answer.contains("TOO_MANY_SUBSCRIPTIONS"), "{answer}");
    let mut third = WebSocketClient::open(server.address).await;
    third.init(json!({ "authorization": format!("Bearer {}", again.token.as_ref().unwrap()) })).await;
    assert_eq!(third.next_message().await, Err(1013), "more sockets than subscriptions");
    Subscriber::over_both(server.address, &bob).await;
    both.pop();
    let begun = Instant::now();
    loop {
        socket.subscribe("3", EVENTS).await;
        if socket.is_silent(Duration::from_millis(200)).await {
            break;
        }
        assert!(begun.elapsed() < TEST_TIMEOUT, "the slot is not released");
    }
}
