//! When a subscription ends: with its token, its session, its account, its server; S22.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::json;

use super::{LOGOUT, kind};
use crate::support::server::{PATIENCE, Server};
use crate::support::stream::{EVENTS, Socket, Subscriber, events_request};
use crate::support::{PASSWORD, TestApp};

/// The promise.
const SECOND: Duration = Duration::from_secs(1);

/// Streams do not need the memory that requests have.
async fn patient() -> Server {
    Server::tuned(|config| config.cluster.cached_callers = 0).await
}

/// A socket without any subscription, too.
#[tokio::test]
async fn a_token_that_expires_closes_with_4403_and_without_a_last_word() {
    let server = patient().await;
    let ann = server.app.user("ann").await;
    let mut idle = Socket::of(server.address, ann.token.as_ref().unwrap()).await;
    let both = Subscriber::both(server.address, &ann).await;
    // With the leeway.
    server.app.clock.advance(TimeDelta::seconds(905));
    assert_eq!(idle.message().await, Err(4403));
    for told in both {
        told.breaks_off(4403).await;
    }
    // The same token again is told so at once, and a fresh one is welcome.
    let mut late = Socket::open(server.address).await;
    late.init(json!({ "authorization": format!("Bearer {}", ann.token.as_ref().unwrap()) })).await;
    assert_eq!(late.message().await, Err(4403));
    let renewed = ann.refresh(ann.refresh_token.as_ref().unwrap()).await.data();
    let ann = ann.with_token(renewed["refresh"]["tokens"]["accessToken"].as_str().unwrap());
    Subscriber::both(server.address, &ann).await;
}

/// S9 for those who only listen. On a machine that is busy with other things the end may come later than the promise has
/// it: then it is looked at again, and said.
#[tokio::test]
async fn a_logout_on_another_node_ends_it_within_a_second() {
    let here = TestApp::new().await;
    let there = Server::of(here.beside().await).await;
    for round in 0..20 {
        let ann = here.user(&format!("ann-{round}")).await;
        let both = Subscriber::both(there.address, &there.app.again(&ann)).await;
        let mut idle = Socket::of(there.address, ann.token.as_ref().unwrap()).await;
        ann.send(LOGOUT, json!({})).await.data();
        let acknowledged = Instant::now();
        for mut told in both {
            let event = told.event().await;
            assert_eq!((kind(&event), event["current"].as_bool()), ("SessionEnded", Some(true)));
            told.completes(4401).await;
        }
        assert_eq!(idle.message().await, Err(4401));
        let took = acknowledged.elapsed();
        if took < SECOND {
            return;
        }
        println!("round {round}: {took:?} until a logout ended a stream at the other node");
    }
    panic!("it never ends within a second");
}

#[tokio::test]
async fn an_account_that_is_switched_off_or_deleted_ends_it() {
    let server = Server::new().await;
    let admin = server.app.admin("root").await;
    for (name, reason) in [("ann", "ACCOUNT_DISABLED"), ("bob", "REVOKED")] {
        let person = server.app.user(name).await;
        let both = Subscriber::both(server.address, &person).await;
        match name {
            "ann" => {
                let input = json!({ "userId": person.id, "status": "DISABLED" });
                admin.done("setUserStatus", input, "user { id }").await;
            }
            _ => drop(admin.done("deleteUser", json!({ "userId": person.id }), "deletedUserId").await),
        }
        for mut told in both {
            let event = told.event().await;
            assert_eq!(
                (kind(&event), event["current"].as_bool(), &event["reason"]),
                ("SessionEnded", Some(true), &json!(reason))
            );
            told.completes(4401).await;
        }
        let mut again = Socket::open(server.address).await;
        again.init(json!({ "authorization": format!("Bearer {}", person.token.as_ref().unwrap()) })).await;
        assert_eq!(again.message().await, Err(4401));
    }
}

/// Changes that nobody tells of are seen when news cannot arrive, because then the database is asked; and not before,
/// because then it is not.
#[tokio::test]
async fn asks_the_database_when_no_news_can_arrive_and_not_before() {
    let server = patient().await;
    let ann = server.app.user("ann").await;
    let db = server.app.app.db.writer();
    let mut socket = Socket::of(server.address, ann.token.as_ref().unwrap()).await;
    let Subscriber::Socket(mut told) = Subscriber::by_socket(server.address, &ann).await else { unreachable!() };
    let rename = async |shown: &str| {
        entity::user::Entity::update_many()
            .col_expr(entity::user::Column::DisplayName, Expr::value(shown))
            .filter(entity::user::Column::UsernameKey.eq("ann"))
            .exec(db)
            .await
            .unwrap();
    };
    let ledger = server.app.app.db.ledger();
    let mut shown = String::new();
    for round in 0.. {
        // What the changes until now have raised was read by everybody.
        while !told.is_silent(SECOND).await {}
        shown = format!("by hand {round}");
        rename(&shown).await;
        // On a busy machine the news may be late: then the database is asked, as it should be.
        let news_arrive = async {
            let begun = Instant::now();
            while ledger.is_trusted() && begun.elapsed() < SECOND * 2 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            ledger.is_trusted()
        };
        let (is_silent, news_arrived) = tokio::join!(told.is_silent(SECOND * 2), news_arrive);
        if is_silent {
            break;
        }
        assert!(!news_arrived, "the database was asked although nothing has changed");
        println!("round {round}: the news were late");
    }
    db.execute_unprepared("ALTER TABLE change_counter RENAME TO hidden_counter").await.unwrap();
    let event = told.hear().await;
    assert_eq!(event["payload"]["data"]["accountEvents"]["user"]["displayName"], shown, "{event}");
    rename("by hand again").await;
    let event = told.hear().await;
    assert_eq!(event["payload"]["data"]["accountEvents"]["user"]["displayName"], "by hand again", "{event}");
    // Without the database nobody knows: clients come again.
    db.execute_unprepared("ALTER TABLE session RENAME TO hidden_session").await.unwrap();
    assert_eq!((told.message().await, socket.message().await), (Err(1013), Err(1013)));
    // Other tests get the database after this one.
    db.execute_unprepared("ALTER TABLE hidden_session RENAME TO session").await.unwrap();
    db.execute_unprepared("ALTER TABLE hidden_counter RENAME TO change_counter").await.unwrap();
}

/// R12: nobody waits for those who would stay for ever.
#[tokio::test]
async fn a_server_that_stops_sends_them_away_to_come_again() {
    let mut server = Server::new().await;
    let ann = server.app.user("ann").await;
    let mut ungreeted = Socket::open(server.address).await;
    let both = Subscriber::both(server.address, &ann).await;
    server.stop();
    for told in both {
        told.breaks_off(1001).await;
    }
    assert_eq!(ungreeted.message().await, Err(1001));
    server.ended().await;
}

/// One account's streams leave the others alone, and give their places back.
#[tokio::test]
async fn every_account_has_a_share_of_subscriptions() {
    let app = TestApp::with(&[("ACCOUNTD_GRAPHQL__MAX_SUBSCRIPTIONS_PER_USER", "2")]).await;
    let server = Server::of(app).await;
    let (ann, bob) = (server.app.user("ann").await, server.app.user("bob").await);
    let mut both = Vec::from(Subscriber::both(server.address, &ann).await);
    let again = server.app.login("ann", PASSWORD).await;
    let mut socket = Socket::of(server.address, again.token.as_ref().unwrap()).await;
    socket.subscribe("2", EVENTS).await;
    let refused = socket.hear().await;
    assert_eq!((&refused["type"], &refused["id"]), (&json!("error"), &json!("2")));
    assert_eq!(refused["payload"][0]["extensions"]["code"], "TOO_MANY_SUBSCRIPTIONS", "{refused}");
    let request = events_request(again.token.as_ref().unwrap(), EVENTS);
    let answer = server.exchange(&request.replacen("Host: a", "Host: a\r\nConnection: close", 1)).await;
    assert!(answer.starts_with("HTTP/1.1 429") && answer.contains("TOO_MANY_SUBSCRIPTIONS"), "{answer}");
    let mut third = Socket::open(server.address).await;
    third.init(json!({ "authorization": format!("Bearer {}", again.token.as_ref().unwrap()) })).await;
    assert_eq!(third.message().await, Err(1013), "more sockets than subscriptions");
    Subscriber::both(server.address, &bob).await;
    both.pop();
    let begun = Instant::now();
    loop {
        socket.subscribe("3", EVENTS).await;
        if socket.is_silent(Duration::from_millis(200)).await {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "the place does not come back");
    }
}
