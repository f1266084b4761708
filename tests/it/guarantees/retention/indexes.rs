//! Retention and lists read rows by index.

use std::sync::{Arc, Mutex};

use accountd::clock::Clock;
use accountd::store::keyset::Page;
use accountd::store::{TenantScope, api_tokens, revoked_tokens, sessions};
use chrono::TimeDelta;
use entity::session;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, EntityTrait, Statement};

use super::fill;
use crate::support::TestApp;
use crate::support::database::backend;

/// A connection that records each statement.
fn recording_statements(db: &DatabaseConnection) -> (DatabaseConnection, Arc<Mutex<Vec<Statement>>>) {
    let (mut db, notes) = (db.clone(), Arc::new(Mutex::new(Vec::new())));
    let noted = Arc::clone(&notes);
    db.set_metric_callback(move |info| noted.lock().unwrap().push(info.statement.clone()));
    (db, notes)
}

/// The query plan of a statement: a line for each table that it reads.
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

/// S19: neither a request nor the deletion reads a whole table, whatever the number of revocations.
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

/// Lists of live rows do not read the ended rows of a user, whatever their number.
#[tokio::test]
async fn lists_of_one_user_skip_ended_rows_by_index() {
    // Database servers choose the plan by table size.
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
