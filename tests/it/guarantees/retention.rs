//! Retention: ended rows are deleted a week later, in batches, and revocations are never undone.

mod batches;
mod indexes;

use std::time::Instant;

use accountd::account::retention::{ROW_RETENTION, purge, safe_now};
use accountd::clock::Clock;
use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use entity::{api_token, login_origin, revoked_token, session, throttle, user};
use sea_orm::prelude::Uuid;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, Set, TransactionTrait};
use serde_json::json;

use crate::support::process::Process;
use crate::support::{PASSWORD, TEST_TIMEOUT, TestApp};

/// The number of sessions and of revocations.
async fn kept_rows(app: &TestApp) -> (u64, u64) {
    let db = app.app.db.reader();
    (session::Entity::find().count(db).await.unwrap(), revoked_token::Entity::find().count(db).await.unwrap())
}

/// S18: the margin is seven days.
#[tokio::test]
async fn ended_rows_are_kept_for_a_week() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let out = app.login("ann", PASSWORD).await;
    out.mutate_ok("logout", json!({}), "ok").await;
    assert_eq!(kept_rows(&app).await, (2, 1));
    let over = app.clock.now() + app.app.config.token.refresh_absolute + ROW_RETENTION;
    assert_eq!(ROW_RETENTION, TimeDelta::days(7));
    assert_eq!(purge(&app.app, over).await.unwrap(), 0, "not yet");
    assert_eq!(kept_rows(&app).await, (2, 1));
    assert_eq!(purge(&app.app, over + TimeDelta::milliseconds(1)).await.unwrap(), 3);
    assert_eq!(kept_rows(&app).await, (0, 0));
    assert_eq!(user::Entity::find().count(app.app.db.reader()).await.unwrap(), 1, "users stay");
}

/// Failure counters are deleted a month after the last attempt, known devices and networks a week after their end.
#[tokio::test]
async fn expired_counters_and_login_origins_are_deleted() {
    let app = TestApp::with(&[("ACCOUNTD_LIMITS__ENABLED", "true")]).await;
    app.user("ann").await;
    let home = app.anonymous().at_address("192.0.2.7");
    home.login("ann", PASSWORD).await;
    home.login("ann", "wrong").await;
    let counts = async || {
        let db = app.app.db.reader();
        let failures = throttle::Entity::find().count(db).await.unwrap();
        (failures, login_origin::Entity::find().count(db).await.unwrap())
    };
    let now = app.clock.now();
    assert_eq!(counts().await, (2, 2), "of the name and the user; a device and a network");
    for (later, expected) in [
        (TimeDelta::days(30), (2, 2)),
        (TimeDelta::days(30) + TimeDelta::seconds(1), (0, 2)),
        (TimeDelta::days(37), (0, 2)),
        (TimeDelta::days(37) + TimeDelta::seconds(1), (0, 1)),
        (TimeDelta::days(372), (0, 1)),
        (TimeDelta::days(372) + TimeDelta::seconds(1), (0, 0)),
    ] {
        while purge(&app.app, now + later).await.unwrap() > 0 {}
        assert_eq!(counts().await, expected, "after {later}");
    }
}

/// API tokens of logins are deleted like sessions, a week after their end; those created by hand stay.
#[tokio::test]
async fn api_tokens_of_ended_logins_are_deleted() {
    let app = TestApp::with(&[("ACCOUNTD_REST__DIALECTS__CORVUS", "/auth")]).await;
    let ann = app.user("ann").await;
    let (id, _) = ann.api_token(&[]).await;
    ann.mutate_ok("revokeApiToken", json!({ "apiTokenId": id }), "errors { code }").await;
    let basic = format!("Basic {}", STANDARD.encode(format!("ann:{PASSWORD}")));
    for _ in 0..2 {
        let answer = app.anonymous().request(Method::POST, "/auth/login", &[("authorization", &basic)], "").await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let count = async || api_token::Entity::find().count(app.app.db.reader()).await.unwrap();
    let db = app.app.db.writer();
    let row = api_token::Entity::find().filter(api_token::Column::FromLogin.eq(true)).one(db).await.unwrap().unwrap();
    let now = app.clock.now();
    let revoked = api_token::ActiveModel { revoked_at: Set(Some(now.into())), ..Default::default() };
    let one = api_token::Column::Id.eq(row.id);
    api_token::Entity::update_many().set(revoked).filter(one).exec(db).await.unwrap();
    let over = now + app.app.config.token.refresh_absolute;
    let moment = TimeDelta::milliseconds(1);
    for (time, expected) in [
        (now + ROW_RETENTION, 3),
        (now + ROW_RETENTION + moment, 2),
        (over + ROW_RETENTION, 2),
        (over + ROW_RETENTION + moment, 1),
    ] {
        while purge(&app.app, time).await.unwrap() > 0 {}
        assert_eq!(count().await, expected, "at {time}");
    }
}

/// S18: a clock jump, a deletion and a corrected clock make no token valid again. A single revoked access token shows
/// it: its session lives.
#[tokio::test]
async fn retention_after_a_clock_jump_unrevokes_nothing() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let ann = app.login("ann", PASSWORD).await;
    let body = json!({ "refresh_token": ann.refresh_token });
    let renewed = ann.json(Method::POST, "/token-refresh", &body).await;
    assert_eq!(renewed.status, 200, "{}", renewed.text);
    assert_eq!(ann.me_reason().await.as_deref(), Some("TOKEN_EXPIRED"), "the new pair was issued");
    app.clock.advance(TimeDelta::days(2));
    purge(&app.app, app.clock.now()).await.unwrap();
    app.clock.advance(TimeDelta::days(-2));
    assert_eq!(ann.me_reason().await.as_deref(), Some("TOKEN_EXPIRED"), "valid again after the deletion");
}

/// S18: the time that counts has been reached by the database's clock and by the node's.
#[tokio::test]
async fn retention_ignores_a_clock_that_runs_ahead() {
    let app = TestApp::new().await;
    assert_eq!(safe_now(&app.app).await.unwrap(), app.clock.now(), "the node's clock is slow");
    app.user("ann").await.mutate_ok("logout", json!({}), "ok").await;
    app.clock.advance(TimeDelta::days(365 * 500));
    let time = safe_now(&app.app).await.unwrap();
    assert!(time < app.clock.now() - TimeDelta::days(365 * 400), "{time}");
    assert!(time > app.clock.now() - TimeDelta::days(365 * 500), "{time}");
}

/// Rows that expired long ago, and as many that did not.
async fn fill(app: &TestApp, rows: i64) {
    app.user("ann").await;
    let db = app.app.db.writer().begin().await.unwrap();
    let like = session::Entity::find().one(&db).await.unwrap().unwrap();
    let owner = user::Entity::find().one(&db).await.unwrap().unwrap();
    let now = app.clock.now();
    let end = |number: i64| match number % 2 {
        0 => (now - TimeDelta::days(100) + TimeDelta::seconds(number)).into(),
        _ => (now + TimeDelta::days(36_500) + TimeDelta::seconds(number)).into(),
    };
    let uid = |number: i64| Uuid::from_u128(1 + u128::try_from(number).unwrap());
    for numbers in (0..2 * rows).collect::<Vec<_>>().chunks(500) {
        let rows = numbers.iter().map(|number| session::ActiveModel {
            id: sea_orm::NotSet,
            uid: Set(uid(*number)),
            absolute_end_at: Set(end(*number)),
            ..like.clone().into()
        });
        session::Entity::insert_many(rows).exec_without_returning(&db).await.unwrap();
        let rows = numbers.iter().map(|number| revoked_token::ActiveModel {
            token_id: Set(format!("ses_{number:026}")),
            user_uid: Set(owner.uid),
            until: Set(end(*number)),
            revoked_at: Set(now.into()),
            reason: Set("LOGOUT".to_owned()),
            generation: Set(None),
            covered: Set(false),
        });
        revoked_token::Entity::insert_many(rows).exec_without_returning(&db).await.unwrap();
    }
    db.commit().await.unwrap();
}

/// A node runs the deletion from its start.
#[tokio::test]
async fn every_node_runs_retention() {
    let app = TestApp::new().await;
    fill(&app, 700).await;
    let database = app.stop().await;
    let db = accountd::database::Database::connect(&database.config()).await.unwrap();
    let server = Process::start(database, &[]);
    let deadline = Instant::now() + TEST_TIMEOUT;
    while session::Entity::find().count(db.reader()).await.unwrap() > 701
        || revoked_token::Entity::find().count(db.reader()).await.unwrap() > 700
    {
        assert!(Instant::now() < deadline, "nothing is deleted");
    }
    db.close().await.unwrap();
    server.send("/graphql", "", &json!({ "query": "{ me { id } }" }));
    server.stop();
}
