//! Retention: what is over goes a week later, in batches, and never brings back what was revoked.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use accountd::account::authentication::retention::{ROW_RETENTION, purge, safe_now};
use accountd::clock::Clock;
use accountd::store::keyset::Page;
use accountd::store::{TenantScope, api_tokens, revoked_tokens, sessions};
use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use entity::{api_token, login_origin, revoked_token, session, throttle, user};
use sea_orm::prelude::Uuid;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbBackend, EntityTrait, PaginatorTrait, QueryFilter, Set,
    Statement, TransactionTrait,
};
use serde_json::json;

use crate::support::database::backend;
use crate::support::process::Process;
use crate::support::{PASSWORD, TEST_TIMEOUT, TestApp};

/// How many sessions and how many revocations there are.
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
    assert_eq!(user::Entity::find().count(app.app.db.reader()).await.unwrap(), 1, "accounts stay");
}

/// Counters of failures go a month after the last attempt, known devices and networks a week after their end.
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
    assert_eq!(counts().await, (2, 2), "of the name and the account; a device and a network");
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

/// API tokens that logins made go like sessions, a week after their end; those that a person made stay.
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

/// S18: a clock that leaps, a purge, and the clock set right again bring no token back. The one that shows it is a
/// single access token that was taken back: its session lives.
#[tokio::test]
async fn retention_after_a_clock_jump_unrevokes_nothing() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let ann = app.login("ann", PASSWORD).await;
    let body = json!({ "refresh_token": ann.refresh_token });
    let renewed = ann.json(Method::POST, "/token-refresh", &body).await;
    assert_eq!(renewed.status, 200, "{}", renewed.text);
    assert_eq!(ann.me_reason().await.as_deref(), Some("TOKEN_EXPIRED"), "its successor was handed out");
    app.clock.advance(TimeDelta::days(2));
    purge(&app.app, app.clock.now()).await.unwrap();
    app.clock.advance(TimeDelta::days(-2));
    assert_eq!(ann.me_reason().await.as_deref(), Some("TOKEN_EXPIRED"), "revived by the purge");
}

/// S18: what counts is the time that the database's clock and the node's have both reached.
#[tokio::test]
async fn retention_ignores_a_clock_that_runs_ahead() {
    let app = TestApp::new().await;
    assert_eq!(safe_now(&app.app).await.unwrap(), app.clock.now(), "the node's clock is behind");
    app.user("ann").await.mutate_ok("logout", json!({}), "ok").await;
    app.clock.advance(TimeDelta::days(365 * 500));
    let time = safe_now(&app.app).await.unwrap();
    assert!(time < app.clock.now() - TimeDelta::days(365 * 400), "{time}");
    assert!(time > app.clock.now() - TimeDelta::days(365 * 500), "{time}");
}

/// Rows that were over long ago, and as many that are not.
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

/// S19: nobody waits for more than a small batch, and nothing that is over stays.
#[tokio::test]
async fn retention_deletes_in_small_batches() {
    let app = TestApp::new().await;
    fill(&app, 1_200).await;
    let now = app.clock.now();
    let mut batches = Vec::new();
    loop {
        match purge(&app.app, now).await.unwrap() {
            0 => break,
            rows => batches.push(rows),
        }
    }
    assert!(batches.iter().all(|rows| *rows <= 2 * 500) && batches.len() == 3, "{batches:?}");
    assert_eq!(kept_rows(&app).await, (1_201, 1_200));
}

/// S19: of two nodes that purge at once each deletes what the other has left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_retention_on_two_nodes_is_safe() {
    let app = TestApp::new().await;
    fill(&app, 600).await;
    let now = app.clock.now();
    let nodes = [(); 2].map(|()| {
        let app = app.app.clone();
        tokio::spawn(async move { while purge(&app, now).await.unwrap() > 0 {} })
    });
    for node in nodes {
        node.await.unwrap();
    }
    assert_eq!(kept_rows(&app).await, (601, 600));
}

/// A connection that notes each statement which it is asked to run.
fn recording_statements(db: &DatabaseConnection) -> (DatabaseConnection, Arc<Mutex<Vec<Statement>>>) {
    let (mut db, notes) = (db.clone(), Arc::new(Mutex::new(Vec::new())));
    let noted = Arc::clone(&notes);
    db.set_metric_callback(move |info| noted.lock().unwrap().push(info.statement.clone()));
    (db, notes)
}

/// How the database would run a statement: a line for each table that it reads.
async fn plan(db: &DatabaseConnection, statement: &Statement) -> Vec<String> {
    let explain = match backend() {
        DbBackend::Sqlite => "EXPLAIN QUERY PLAN",
        _ => "EXPLAIN",
    };
    let sql = format!("{explain} {}", statement.sql);
    let rows = db.query_all_raw(Statement { sql, ..statement.clone() }).await.unwrap();
    let line = |row: &sea_orm::QueryResult| match backend() {
        DbBackend::Sqlite => row.try_get::<String>("", "detail").unwrap(),
        DbBackend::Postgres => row.try_get_by_index::<String>(0).unwrap(),
        _ => {
            let text = |name: &str| row.try_get::<Option<String>>("", name).unwrap().unwrap_or_default();
            format!("{} of {}", text("type"), text("table"))
        }
    };
    rows.iter().map(line).collect()
}

/// S19: neither a request nor the purge reads a whole table, however much was revoked.
#[tokio::test]
async fn retention_statements_use_indexes() {
    let app = TestApp::new().await;
    fill(&app, 3_000).await;
    let refresh_statistics: &[&str] = match backend() {
        DbBackend::MySql => &["ANALYZE TABLE session, revoked_token"],
        _ => &["ANALYZE"],
    };
    for sql in refresh_statistics {
        app.app.db.writer().execute_unprepared(sql).await.unwrap();
    }
    let now = app.clock.now();
    let (db, notes) = recording_statements(app.app.db.writer());
    let live = session::Entity::find().one(&db).await.unwrap().unwrap();
    notes.lock().unwrap().clear();
    revoked_tokens::contains_any(&db, &["ses_x", "ses_x.1"], now).await.unwrap();
    sessions::find_with_user(&db, TenantScope::AllTenants, live.uid).await.unwrap();
    sessions::delete_expired(&db, now - TimeDelta::days(90), 10).await.unwrap();
    revoked_tokens::delete_expired(&db, now - TimeDelta::days(90), 10).await.unwrap();
    let notes = std::mem::take(&mut *notes.lock().unwrap());
    assert_eq!(notes.len(), 6, "{notes:?}");
    for statement in notes {
        let plan = plan(app.app.db.writer(), &statement).await;
        assert!(!plan.is_empty(), "{statement}");
        for line in plan {
            let reads_all = match backend() {
                // The table of users has one row here.
                _ if line.contains("user") => false,
                DbBackend::Sqlite => line.starts_with("SCAN") || line.contains("TEMP B-TREE"),
                DbBackend::Postgres => line.contains("Seq Scan"),
                _ => line.starts_with("ALL") || line.starts_with("index"),
            };
            assert!(!reads_all, "{line}: {statement}");
        }
    }
}

/// What has ended of a user is not read by lists of what has not, however much it is.
#[tokio::test]
async fn lists_of_one_user_skip_ended_rows_by_index() {
    // Servers choose by the sizes of tables.
    if backend() != DbBackend::Sqlite {
        return;
    }
    let app = TestApp::new().await;
    let (now, page) = (app.clock.now(), Page { after: None, before: None, limit: 21, is_from_end: false });
    let (db, notes) = recording_statements(app.app.db.writer());
    sessions::list(&db, 1, Some(now), &page).await.unwrap();
    sessions::count(&db, 1, Some(now)).await.unwrap();
    api_tokens::list(&db, 1, Some(now), &page).await.unwrap();
    api_tokens::count(&db, 1, Some(now)).await.unwrap();
    api_tokens::find_least_recently_used_from_login(&db, 1, now).await.unwrap();
    let notes = std::mem::take(&mut *notes.lock().unwrap());
    assert_eq!(notes.len(), 5, "{notes:?}");
    for statement in notes {
        let plan = plan(app.app.db.writer(), &statement).await;
        let passes_over = |line: &String| line.contains("ended_at=?") || line.contains("revoked_at=?");
        assert!(plan.iter().any(passes_over), "{plan:?}: {statement}");
    }
}

/// A node purges from its start on.
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
        assert!(Instant::now() < deadline, "nothing is purged");
    }
    db.close().await.unwrap();
    server.send("/graphql", "", &json!({ "query": "{ me { id } }" }));
    server.stop();
}
