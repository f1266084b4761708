//! Refresh: parallel tabs, lost responses, and reuse by an attacker.

use chrono::TimeDelta;
use entity::audit_event;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::support::{PASSWORD, TestApp, TestResponse};

fn outcome(answer: &TestResponse) -> String {
    answer.data()["refresh"]["outcome"].as_str().unwrap().to_owned()
}

fn refresh_token(answer: &TestResponse) -> String {
    answer.data()["refresh"]["tokens"]["refreshToken"].as_str().unwrap().to_owned()
}

/// S1: each token gives one new pair; later reuse ends the session, however old the token is.
#[tokio::test]
async fn each_refresh_returns_a_new_pair() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    for again in [0, 7, 19] {
        let mut chain = vec![ann.login("ann", PASSWORD).await.data()["login"]["tokens"]["refreshToken"].clone()];
        for length in 0..20 {
            app.clock.advance(TimeDelta::minutes(1));
            let answer = ann.refresh(chain[length].as_str().unwrap()).await;
            assert_eq!(outcome(&answer), "ROTATED");
            let token = answer.data()["refresh"]["tokens"]["refreshToken"].clone();
            assert!(!chain.contains(&token));
            chain.push(token);
            assert_eq!(ann.signed_in(&answer.data()["refresh"]).me_code().await, None);
        }
        app.clock.advance(TimeDelta::minutes(1));
        for token in [&chain[again], &chain[20]] {
            let refusal = ann.refresh(token.as_str().unwrap()).await.payload_error("refresh");
            let expected = if token == &chain[20] { "SESSION_ENDED" } else { "REFRESH_TOKEN_REUSED" };
            assert_eq!(refusal.as_deref(), Some(expected), "token {again}");
        }
    }
}

/// S3
#[tokio::test]
async fn fifty_parallel_refreshes_return_one_new_pair() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let token = ann.refresh_token.clone().unwrap();
    let tabs: Vec<_> = (0..50)
        .map(|_| {
            let (ann, token) = (ann.clone(), token.clone());
            tokio::spawn(async move { ann.refresh(&token).await })
        })
        .collect();
    let mut answers = Vec::new();
    for tab in tabs {
        answers.push(tab.await.unwrap());
    }
    let rotated = answers.iter().filter(|answer| outcome(answer) == "ROTATED").count();
    assert_eq!(rotated, 1, "one generation step");
    assert!(answers.iter().all(|answer| refresh_token(answer) == refresh_token(&answers[0])), "one token text");
    let next = ann.refresh(&refresh_token(&answers[0])).await;
    assert_eq!(outcome(&next), "ROTATED", "the session is alive");
}

/// S4
#[tokio::test]
async fn refresh_is_replayed_until_the_new_pair_is_used() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let token = ann.refresh_token.clone().unwrap();
    let lost = ann.refresh(&token).await;
    app.clock.advance(TimeDelta::seconds(899));
    let again = ann.refresh(&token).await;
    assert_eq!(outcome(&again), "REPLAYED");
    assert_eq!(refresh_token(&again), refresh_token(&lost));
    assert_eq!(ann.signed_in(&again.data()["refresh"]).me_code().await, None, "the access token of a replay is fresh");
    let spent = ann.refresh(&token).await;
    assert_eq!(
        spent.payload_error("refresh").as_deref(),
        Some("REFRESH_TOKEN_REUSED"),
        "the new pair is in use by now"
    );
}

/// An attacker who rotates first and uses nothing shares the session with its owner no longer than that.
#[tokio::test]
async fn refresh_replay_after_access_token_life_is_reuse() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let token = ann.refresh_token.clone().unwrap();
    let stolen = ann.refresh(&token).await;
    app.clock.advance(TimeDelta::seconds(900));
    assert_eq!(ann.refresh(&token).await.payload_error("refresh").as_deref(), Some("REFRESH_TOKEN_REUSED"));
    let reused = ann.refresh(&refresh_token(&stolen)).await;
    assert_eq!(reused.payload_error("refresh").as_deref(), Some("SESSION_ENDED"));
}

#[tokio::test]
async fn refresh_replay_to_another_client_is_audited_once_a_minute() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let token = ann.refresh_token.clone().unwrap();
    let lost = ann.refresh(&token).await;
    assert_eq!(outcome(&lost), "ROTATED");
    let records = async || {
        let all = audit_event::Entity::find().filter(audit_event::Column::Action.eq("refresh.replay"));
        all.all(app.app.db.reader()).await.unwrap()
    };
    assert_eq!(outcome(&ann.refresh(&token).await), "REPLAYED");
    assert_eq!(records().await.len(), 0, "the client that opened the session");
    let elsewhere = ann.at_address("192.0.2.9");
    for _ in 0..5 {
        assert_eq!(outcome(&elsewhere.refresh(&token).await), "REPLAYED");
    }
    let found = records().await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].address.as_deref(), Some("192.0.2.9"));
    assert!(found[0].target_uid.is_some() && found[0].session_uid.is_some());
    assert_eq!(outcome(&ann.at_address("192.0.2.10").refresh(&token).await), "REPLAYED");
    app.clock.advance(TimeDelta::seconds(60));
    assert_eq!(outcome(&elsewhere.refresh(&token).await), "REPLAYED");
    assert_eq!(records().await.len(), 3);
}

#[tokio::test]
async fn refresh_replay_works_for_30_s_after_use_of_the_new_pair() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let token = ann.refresh_token.clone().unwrap();
    let first = ann.refresh(&token).await;
    assert_eq!(ann.signed_in(&first.data()["refresh"]).me_code().await, None);
    app.clock.advance(TimeDelta::milliseconds(29_999));
    assert_eq!(outcome(&ann.refresh(&token).await), "REPLAYED");
    app.clock.advance(TimeDelta::milliseconds(1));
    assert_eq!(outcome(&ann.refresh(&token).await), "REFUSED");
}

/// S2
#[tokio::test]
async fn refresh_token_reuse_ends_the_session_even_after_a_restart() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let other = app.login("ann", crate::support::PASSWORD).await;
    let stolen = ann.refresh_token.clone().unwrap();
    let second = ann.refresh(&stolen).await;
    let third = ann.refresh(&refresh_token(&second)).await;
    let living = ann.signed_in(&third.data()["refresh"]);
    assert_eq!(living.me_code().await, None);

    let answer = ann.refresh(&stolen).await;
    assert_eq!(outcome(&answer), "REFUSED");
    assert_eq!(answer.payload_error("refresh").as_deref(), Some("REFRESH_TOKEN_REUSED"));
    assert_eq!(living.me_reason().await.as_deref(), Some("SESSION_ENDED"));
    assert_eq!(other.me_code().await, None, "other sessions live");

    let app = app.restart().await;
    let again = app.anonymous().refresh(&refresh_token(&third)).await;
    assert_eq!(again.payload_error("refresh").as_deref(), Some("SESSION_ENDED"));
    let living = app.anonymous().with_token(living.token.as_deref().unwrap());
    assert_eq!(living.me_reason().await.as_deref(), Some("SESSION_ENDED"));
}

/// S6
#[tokio::test]
async fn refresh_after_idle_or_absolute_limit_is_refused() {
    let app = TestApp::new().await;
    let idle = app.user("ann").await;
    app.clock.advance(TimeDelta::days(14));
    let answer = idle.refresh(idle.refresh_token.as_deref().unwrap()).await;
    assert_eq!(answer.payload_error("refresh").as_deref(), Some("SESSION_ENDED"));

    let busy = app.login("ann", crate::support::PASSWORD).await;
    let mut token = busy.refresh_token.clone().unwrap();
    for _ in 0..29 {
        app.clock.advance(TimeDelta::days(1));
        token = refresh_token(&busy.refresh(&token).await);
    }
    app.clock.advance(TimeDelta::days(1));
    assert_eq!(busy.refresh(&token).await.payload_error("refresh").as_deref(), Some("SESSION_ENDED"));
}

#[tokio::test]
async fn refresh_tells_missing_and_invalid_tokens_apart() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let none = ann.send("mutation { refresh { outcome errors { code } } }", serde_json::json!({})).await;
    assert_eq!(none.payload_error("refresh").as_deref(), Some("REFRESH_TOKEN_MISSING"));
    for foreign in ["", "x", "a.b.c", ann.token.as_deref().unwrap()] {
        assert_eq!(
            ann.refresh(foreign).await.payload_error("refresh").as_deref(),
            Some("REFRESH_TOKEN_INVALID"),
            "{foreign}"
        );
    }
    assert_eq!(outcome(&ann.refresh(ann.refresh_token.as_deref().unwrap()).await), "ROTATED", "nothing was ended");
}

/// Apollo sends the expired access token along (users.md, demand 3).
#[tokio::test]
async fn refresh_ignores_an_invalid_access_token() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    app.clock.advance(TimeDelta::hours(1));
    assert_eq!(ann.me_reason().await.as_deref(), Some("TOKEN_EXPIRED"));
    assert_eq!(outcome(&ann.refresh(ann.refresh_token.as_deref().unwrap()).await), "ROTATED");
    let garbage = ann.with_token("garbage");
    let token = ann.refresh(ann.refresh_token.as_deref().unwrap()).await;
    assert_eq!(outcome(&garbage.refresh(&refresh_token(&token)).await), "ROTATED");
}
